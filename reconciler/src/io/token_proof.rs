//! Whether a repository bears out what is said of used enrolment tokens.

use git2::{Oid, Repository};
use muster_schema::FleetName;

use super::repository::{RepositoryError, list_paths};
use crate::enrolment::{NotBorneOut, verify_binding};
use crate::model::{ModelCache, load_model, token_path};
use crate::status::Binding;

/// Why nothing bears a binding out, or nothing can be told.
#[derive(Debug, thiserror::Error)]
pub enum TokenProofError {
    /// It does not hold.
    #[error(transparent)]
    NotBorneOut(#[from] NotBorneOut),
    /// The files cannot be read.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

/// Checks a binding by the revision that it names, which must be `tip` or an ancestor of it. `tip` is trusted.
///
/// # Errors
/// When it is not borne out, or the repository cannot be read.
pub fn verify_binding_below(
    repository: &Repository,
    tip: Oid,
    fleet: &FleetName,
    binding: &Binding,
) -> Result<(), TokenProofError> {
    let revision = binding.revision.as_str();
    let is_below = |id: Oid| id == tip || repository.graph_descendant_of(tip, id).unwrap_or(false);
    if !revision.parse::<Oid>().is_ok_and(is_below) {
        return Err(NotBorneOut::OtherHistory(revision.to_owned()).into());
    }
    let (environment, host) = (&binding.environment, &binding.host);
    let token = token_path(&binding.name);
    let environment_file = format!("environments/{environment}/environment.yaml");
    let host_file = format!("environments/{environment}/hosts/{host}.yaml");
    let files = list_paths(repository.path(), revision, &[&token, &environment_file, &host_file])?;
    let (model, _) = load_model(&files, &mut ModelCache::default());
    Ok(verify_binding(binding, &model, fleet)?)
}
