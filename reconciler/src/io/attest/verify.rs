//! Checks a bundle. Needs nothing but the bundle and what the asker trusts.

use git2::Repository;
use muster_schema::{CommitId, Sha256Digest};
use ssh_key::PublicKey;

use super::AttestError;
use crate::attest::{
    AttestFault, BUNDLE, Bundle, BundleReader, CommitTerms, Documents, verify_documents, verify_record, verify_render,
    verify_revision, verify_verbatim,
};
use crate::cycle::FleetRenders;
use crate::io::git::{init_bare_repository, unpack_bundle};
use crate::io::repository::list_revision;
use crate::model::{ModelCache, load_model};
use crate::render::FactsOfFleet;

/// What the asker trusts.
#[derive(Debug)]
pub struct Trust {
    /// The fingerprint of a root document.
    pub root: Sha256Digest,
    /// A commit of the fleet's repository.
    pub commit: Option<CommitId>,
    /// The key that signs status commits.
    pub status_key: Option<PublicKey>,
}

/// Checks a bundle, and returns what it shows.
///
/// # Errors
/// When a file of it does not hold.
pub fn verify_bundle(bundle: &Bundle, trust: &Trust) -> Result<Documents, AttestError> {
    let mut reader = BundleReader::new(bundle);
    let mut documents = verify_documents(&mut reader, trust.root)?;
    let folder = tempfile::tempdir().map_err(|source| AttestError::File { path: std::env::temp_dir(), source })?;
    let repository = init_bare_repository(folder.path())?;
    let reference = format!("refs/heads/{}", documents.index.branch);
    let tip = unpack_bundle(&repository, reader.get(BUNDLE)?, &reference)
        .map_err(|error| AttestFault::new(BUNDLE, chain(&error)))?;
    if crate::verify::commit_id(tip) != documents.head.revision {
        return Err(AttestFault::new(BUNDLE, format!("it holds {tip}, not the revision of the head")).into());
    }
    let (renders, facts) = (FleetRenders::of(repository.path()), FactsOfFleet::default());
    let effects = renders.by(&facts);
    let terms = CommitTerms { trust: trust.commit.clone(), reference, effects: &effects };
    verify_revision(&repository, &mut reader, &mut documents, &terms)?;
    let model = load_source(&repository, &documents)?;
    verify_render(&mut documents, &model, &facts)?;
    verify_verbatim(&repository, &mut documents)?;
    verify_record(&repository, &mut reader, &mut documents, trust.status_key.as_ref())?;
    reader.finish()?;
    Ok(documents)
}

fn load_source(repository: &Repository, documents: &Documents) -> Result<crate::model::Model, AttestError> {
    let files = list_revision(repository.path(), documents.manifest.source.commit.as_str())?;
    Ok(load_model(&files, &mut ModelCache::default()).0)
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
