//! Reads facts from the status branch of a clone.

use std::path::Path;

use git2::{ObjectType, Oid, Repository, TreeWalkMode, TreeWalkResult};
use muster_schema::HostId;

use super::error::GitError;
use crate::io::facts_folder::{MAX_BYTES, facts_of};
use crate::render::FactsOfFleet;

/// Where a clone has the status branch: as it was fetched, or in the repository that the orchestrator writes.
const BRANCHES: [&str; 2] = ["refs/remotes/origin/status", "refs/heads/status"];

/// Reads `facts/` of the status branch of the repository in `dir`. None where `dir` is no repository, or has no such
/// branch. Signatures are not looked at: this is for a person who asks what would be. What holds no facts is left out.
///
/// # Errors
/// When Git does not give the tree.
pub fn load_facts_branch(dir: &Path) -> Result<FactsOfFleet, GitError> {
    let Ok(repository) = Repository::discover(dir) else { return Ok(FactsOfFleet::default()) };
    let Some(branch) = BRANCHES.into_iter().find_map(|name| repository.find_reference(name).ok()) else {
        return Ok(FactsOfFleet::default());
    };
    let unreadable = || GitError::read("the facts of the status branch");
    let tree = branch.peel_to_tree().map_err(unreadable())?;
    let Some(facts) = tree.get_name("facts") else { return Ok(FactsOfFleet::default()) };
    let folder = facts.to_object(&repository).and_then(|object| object.peel_to_tree()).map_err(unreadable())?;
    let mut files: Vec<(HostId, Oid)> = Vec::new();
    let note = |_: &str, entry: &git2::TreeEntry<'_>| {
        let host = entry.name().ok().and_then(|name| name.strip_suffix(".json")).and_then(|stem| stem.parse().ok());
        if let (Some(ObjectType::Blob), Some(host)) = (entry.kind(), host) {
            files.push((host, entry.id()));
        }
        TreeWalkResult::Ok
    };
    folder.walk(TreeWalkMode::PreOrder, note).map_err(unreadable())?;
    let database = repository.odb().map_err(unreadable())?;
    let mut all = Vec::new();
    for (host, id) in files {
        let (size, _) = database.read_header(id).map_err(unreadable())?;
        if size as u64 <= MAX_BYTES {
            let blob = database.read(id).map_err(unreadable())?;
            all.extend(facts_of(blob.data()).ok().map(|facts| (host, facts)));
        }
    }
    Ok(all.into_iter().collect())
}
