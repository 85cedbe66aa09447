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
    let (tips, commits) = list_history(&repo).map_err(read)?;
    let mut history = StatusHistory { commits: commits.len(), ..StatusHistory::default() };
    for id in commits {
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

/// Calls `visit` with each version of the file at `path`, newest first, and the commit that brought it. Signatures are
/// not looked at.
///
/// # Errors
/// When the repository cannot be read.
pub fn walk_status_history(repo: &Repository, path: &str, mut visit: impl FnMut(Oid, &[u8])) -> Result<(), GitError> {
    for id in list_history(repo).map_err(read)?.1 {
        let parent = repo.find_commit(id).map_err(read)?.parent_ids().next();
        let before = parent.map(|parent| blob_at(repo, parent, path)).transpose().map_err(read)?.flatten();
        if let Some(file) = blob_at(repo, id, path).map_err(read)?.filter(|file| Some(*file) != before) {
            visit(id, repo.find_blob(file).map_err(read)?.content());
        }
    }
    Ok(())
}

/// The tips of the status branch, and all its commits, newest first.
fn list_history(repo: &Repository) -> Result<(Vec<Oid>, Vec<Oid>), git2::Error> {
    let mut walk = repo.revwalk()?;
    walk.set_sorting(Sort::TIME | Sort::TOPOLOGICAL)?;
    let mut tips = Vec::new();
    for pattern in REFERENCES {
        for reference in repo.references_glob(pattern)? {
            tips.extend(reference.and_then(|reference| reference.resolve())?.target());
        }
    }
    for tip in &tips {
        walk.push(*tip)?;
    }
    Ok((tips, walk.collect::<Result<_, _>>()?))
}

fn read(source: git2::Error) -> GitError {
    GitError::Read { what: "the status branch".to_owned(), source }
}

/// The file at `path`; nothing where there is none.
fn blob_at(repo: &Repository, commit: Oid, path: &str) -> Result<Option<Oid>, git2::Error> {
    match repo.find_commit(commit)?.tree()?.get_path(Path::new(path)) {
        Ok(entry) => Ok(Some(entry.id())),
        Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
