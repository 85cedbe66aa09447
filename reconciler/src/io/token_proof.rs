//! Whether a repository bears out what is said of used enrolment tokens.

use git2::{Oid, Repository, Sort};
use muster_schema::FleetName;

use super::repository::{RepositoryError, list_paths};
use crate::enrolment::{NotBorneOut, verify_binding};
use crate::model::{Model, ModelCache, load_model, token_path};
use crate::status::Binding;

#[cfg(test)]
mod tests;

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

/// Checks a binding by the revision that it names, which must be `tip` or an ancestor of it. `tip` is trusted, and with it
/// the commits that the watched branch went through: its first parents. Of a merged branch nobody says that what stood
/// there ever held, so a revision of one counts as what its merge made of it.
///
/// # Errors
/// When it is not borne out, or the repository cannot be read.
pub fn verify_binding_below(
    repository: &Repository,
    tip: Oid,
    fleet: &FleetName,
    binding: &Binding,
) -> Result<(), TokenProofError> {
    let named = binding.revision.as_str();
    let unreadable = |source| RepositoryError::Git { revision: named.to_owned(), source };
    let arrival = match named.parse::<Oid>() {
        Ok(id) if has_commit(repository, tip, id) => find_arrival(repository, tip, id).map_err(unreadable)?,
        _ => return Err(NotBorneOut::OtherHistory(named.to_owned()).into()),
    };
    let revision = arrival.to_string();
    let load = |revision: &str| -> Result<Model, TokenProofError> {
        let paths = paths_of(repository, revision, binding).map_err(unreadable)?;
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let files = list_paths(repository.path(), revision, &paths)?;
        Ok(load_model(&files, &mut ModelCache::default()).0)
    };
    let (model, newest) = (load(&revision)?, load(&tip.to_string())?);
    match verify_binding(binding, &model, &newest, fleet) {
        Err(reason) if revision != named => {
            Err(NotBorneOut::OnlyBeside { named: named.to_owned(), merge: revision, reason: Box::new(reason) }.into())
        }
        judged => Ok(judged?),
    }
}

/// The files that say whether a binding holds: the token's, and the host's, in whichever environment it is.
fn paths_of(repository: &Repository, revision: &str, binding: &Binding) -> Result<Vec<String>, git2::Error> {
    let tree = repository.revparse_single(revision)?.peel_to_tree()?;
    let mut paths = vec![token_path(&binding.name)];
    let Some(folder) = tree.get_name("environments") else { return Ok(paths) };
    let Ok(folder) = repository.find_tree(folder.id()) else { return Ok(paths) };
    for environment in folder.iter().filter_map(|entry| entry.name().ok().map(str::to_owned)) {
        paths.push(format!("environments/{environment}/environment.yaml"));
        paths.push(format!("environments/{environment}/hosts/{}.yaml", binding.host));
    }
    Ok(paths)
}

fn has_commit(repository: &Repository, tip: Oid, id: Oid) -> bool {
    tip == id || repository.graph_descendant_of(tip, id).unwrap_or(false)
}

/// The oldest commit on the way from `tip` along first parents that has `id`, which `tip` has: itself, or the merge that
/// brought it.
fn find_arrival(repository: &Repository, tip: Oid, id: Oid) -> Result<Oid, git2::Error> {
    let mut walk = repository.revwalk()?;
    walk.set_sorting(Sort::TOPOLOGICAL)?;
    walk.simplify_first_parent()?;
    walk.push(tip)?;
    // Older commits cannot have it.
    for parent in repository.find_commit(id)?.parent_ids() {
        walk.hide(parent)?;
    }
    let newest_first = walk.collect::<Result<Vec<Oid>, _>>()?;
    let having = newest_first.partition_point(|&commit| has_commit(repository, commit, id));
    Ok(having.checked_sub(1).and_then(|oldest| newest_first.get(oldest)).copied().unwrap_or(tip))
}
