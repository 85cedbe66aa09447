//! What a file of the status branch was, over the whole history of a clone.

use std::path::Path;

use git2::{Oid, Repository, Sort};
use ssh_key::PublicKey;

use super::error::GitError;
use super::repository::open_repository;
use crate::verify::verify_commit_by_key;

/// Where the branch stands in the repository itself, in a clone, and its months.
const REFERENCES: [&str; 3] = ["refs/heads/status", "refs/remotes/*/status", "refs/muster/status/*"];
/// The largest version that is read.
const MAX_BYTES: usize = 64 * 1024;

/// The versions of a file.
#[derive(Debug, Default)]
pub struct StatusHistory {
    /// Those of commits that the key signed, with the commits, newest first.
    pub versions: Vec<(Oid, Vec<u8>)>,
    /// Commits that the key did not sign: what they say does not count.
    pub foreign: Vec<Oid>,
    /// How many commits the branch has.
    pub commits: usize,
}

/// Reads every version of the file at `path` in the status branch of the clone at `clone`, its months included. The
/// tips, and each commit that changed the file, are verified against `key`.
///
/// # Errors
/// When the repository cannot be read.
pub fn load_status_history(clone: &Path, key: &PublicKey, path: &str) -> Result<StatusHistory, GitError> {
    let repo = open_repository(clone)?;
    let read = |source| GitError::Read { what: "the status branch".to_owned(), source };
    let mut walk = repo.revwalk().map_err(read)?;
    walk.set_sorting(Sort::TIME | Sort::TOPOLOGICAL).map_err(read)?;
    let mut tips = Vec::new();
    for pattern in REFERENCES {
        for reference in repo.references_glob(pattern).map_err(read)? {
            tips.extend(reference.and_then(|reference| reference.resolve()).map_err(read)?.target());
        }
    }
    for tip in &tips {
        walk.push(*tip).map_err(read)?;
    }
    let mut history = StatusHistory::default();
    for id in walk {
        let id = id.map_err(read)?;
        history.commits += 1;
        let commit = repo.find_commit(id).map_err(read)?;
        let file = blob_at(&repo, id, path).map_err(read)?;
        let before = commit.parent_ids().next().map(|parent| blob_at(&repo, parent, path)).transpose().map_err(read)?;
        let is_same = before.is_some_and(|before| before == file);
        if is_same && !tips.contains(&id) {
            continue;
        }
        if verify_commit_by_key(&repo, id, key).is_err() {
            history.foreign.push(id);
        } else if let Some(file) = file.filter(|_| !is_same) {
            let blob = repo.find_blob(file).map_err(read)?;
            history.versions.push((id, blob.content().iter().take(MAX_BYTES).copied().collect()));
        }
    }
    Ok(history)
}

/// The file at `path`; nothing where there is none.
fn blob_at(repo: &Repository, commit: Oid, path: &str) -> Result<Option<Oid>, git2::Error> {
    match repo.find_commit(commit)?.tree()?.get_path(Path::new(path)) {
        Ok(entry) => Ok(Some(entry.id())),
        Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
