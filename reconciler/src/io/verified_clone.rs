//! A clone of the state repository that is verified on the spot, from a commit that its user trusts.

use std::path::{Path, PathBuf};

use git2::{ObjectType, Oid, Repository};
use muster_schema::{CommitId, FleetName};
use ssh_key::PublicKey;

use super::clock;
use super::git::{GitError, load_status_tree, load_status_tree_at, open_repository};
use super::repository::{RepositoryError, list_revision};
use crate::breakglass::VerifiedState;
use crate::cycle::FleetRenders;
use crate::model::{Model, ModelCache, load_model};
use crate::render::FactsOfFleet;
use crate::status::load_status;
use crate::verify::{APPROVAL_REFERENCES, Rejection, Terms, commit_id, verify_commits};
use crate::witness::facts_by_model;

/// What is trusted of a clone.
#[derive(Debug, Clone)]
pub struct CloneTrust {
    /// The clone.
    pub repository: PathBuf,
    /// The watched branch, by whose rules commits are judged.
    pub branch: String,
    /// A commit that is trusted: as new as may be, and not newer than what is to be verified.
    pub commit: String,
    /// The key of the status branch; without it no facts are known.
    pub status_key: Option<PublicKey>,
}

/// Why a clone is not verified.
#[derive(Debug, thiserror::Error)]
pub enum CloneError {
    /// The repository cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The files of a commit cannot be listed.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// There is no such commit.
    #[error("the clone has no commit '{name}'")]
    NoCommit {
        /// What was given.
        name: String,
        /// Why.
        source: git2::Error,
    },
    /// A commit is refused.
    #[error(
        "the clone is refused: {0}\n  hint: approvals of changes are not fetched by git clone; try: git fetch origin \
         '{APPROVAL_REFERENCES}*:{APPROVAL_REFERENCES}*'"
    )]
    Refused(Box<Rejection>),
}

/// Verifies every commit from the trusted one to `at`, as the orchestrator does with a push, and loads what is there.
/// Facts count as far as hosts signed them by their keys of that commit; they are those of `facts_commit`, or of the
/// newest status commit.
///
/// # Errors
/// When a commit is refused, or something cannot be read.
pub fn verify_clone(
    trust: &CloneTrust,
    fleet: &FleetName,
    at: &str,
    facts_commit: Option<&CommitId>,
) -> Result<VerifiedState, CloneError> {
    let repository = open_repository(&trust.repository)?;
    let (from, to) = (find_commit(&repository, &trust.commit)?, find_commit(&repository, at)?);
    let (model, found) = load_model(&list_revision(repository.path(), &to.to_string())?, &mut ModelCache::default());
    let (facts, facts_commit) = match &trust.status_key {
        Some(key) => load_facts(repository.path(), fleet, (key, facts_commit), &model)?,
        None => (FactsOfFleet::default(), None),
    };
    let renders = FleetRenders::of(repository.path());
    let effects = renders.by(&facts);
    let reference = format!("refs/heads/{}", trust.branch);
    let terms = Terms { receipt: clock::now(), fleet, reference: &reference, effects: &effects };
    verify_commits(&repository, from, to, &terms).map_err(|rejection| CloneError::Refused(Box::new(rejection)))?;
    Ok(VerifiedState { commit: commit_id(to), model, found, facts, facts_commit: facts_commit.map(commit_id) })
}

fn load_facts(
    repository: &Path,
    fleet: &FleetName,
    (key, commit): (&PublicKey, Option<&CommitId>),
    model: &Model,
) -> Result<(FactsOfFleet, Option<Oid>), CloneError> {
    let tree = match commit {
        Some(commit) => load_status_tree_at(repository, key, commit)?,
        None => load_status_tree(repository, key)?,
    };
    let Some(tree) = tree else { return Ok((FactsOfFleet::default(), None)) };
    let status = load_status(fleet, &tree.files, clock::now()).fleet;
    Ok((facts_by_model(&status, model), Some(tree.commit)))
}

fn find_commit(repository: &Repository, name: &str) -> Result<Oid, CloneError> {
    let found = repository.revparse_single(name).and_then(|object| object.peel(ObjectType::Commit));
    found.map(|commit| commit.id()).map_err(|source| CloneError::NoCommit { name: name.to_owned(), source })
}
