//! Reads the branch.

use std::collections::BTreeMap;
use std::path::Path;

use git2::{ErrorCode, ObjectType, Oid, Repository, Tree};
use muster_schema::CommitId;
use ssh_key::PublicKey;

use super::{STATUS, StatusBranch};
use crate::io::git::error::GitError;
use crate::io::git::repository::{open_repository, read_tip};
use crate::verify::verify_commit_by_key;

/// How far back a commit of ours is looked for under foreign ones.
const MAX_FOREIGN: usize = 1000;
/// The largest file that is read.
const MAX_FILE_BYTES: usize = 8 * 1024 * 1024;
/// The deepest folder of the branch.
const MAX_DEPTH: usize = 8;

/// The files of a status commit that the status key signed.
#[derive(Debug)]
pub struct StatusTree {
    /// The commit.
    pub commit: Oid,
    /// The files by path.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl StatusBranch {
    /// Reads all files of the tip; nothing when there is no commit of ours.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn load(&self) -> Result<Option<StatusTree>, GitError> {
        let Some(commit) = self.tip else {
            return Ok(None);
        };
        read_files(&open_repository(&self.path)?, commit).map(Some)
    }
}

/// Where a clone has the branch: as it was fetched, or in the repository that the orchestrator writes.
const BRANCHES: [&str; 2] = ["refs/remotes/origin/status", STATUS];

/// Reads the status branch of the repository at `path`, as far as `key` signed it; nothing where it signed none of it.
///
/// # Errors
/// When the repository cannot be read.
pub fn load_status_tree(path: &Path, key: &PublicKey) -> Result<Option<StatusTree>, GitError> {
    let repo = open_repository(path)?;
    for branch in BRANCHES {
        if let Some(commit) = find_own_tip(&repo, read_tip(&repo, branch)?, key)? {
            return read_files(&repo, commit).map(Some);
        }
    }
    Ok(None)
}

/// Reads one commit of the status branch; nothing where `key` did not sign it.
///
/// # Errors
/// When the repository cannot be read.
pub fn load_status_tree_at(path: &Path, key: &PublicKey, commit: &CommitId) -> Result<Option<StatusTree>, GitError> {
    let repo = open_repository(path)?;
    let id = Oid::from_str(commit.as_str()).map_err(GitError::read("the status commit"))?;
    if verify_commit_by_key(&repo, id, key).is_err() {
        return Ok(None);
    }
    read_files(&repo, id).map(Some)
}

fn read_files(repo: &Repository, commit: Oid) -> Result<StatusTree, GitError> {
    let tree = repo.find_commit(commit).and_then(|commit| commit.tree()).map_err(GitError::read("the status tree"))?;
    let odb = repo.odb().map_err(GitError::read("the status tree"))?;
    let mut files = BTreeMap::new();
    for (path, id) in list_folder(repo, &tree, "")? {
        let (size, _) = odb.read_header(id).map_err(GitError::read(path.as_str()))?;
        if size <= MAX_FILE_BYTES {
            let blob = odb.read(id).map_err(GitError::read(path.as_str()))?;
            files.insert(path, blob.data().to_vec());
        }
    }
    Ok(StatusTree { commit, files })
}

/// The newest commit at or below `from`, along first parents, that `key` signed.
pub(super) fn find_own_tip(repo: &Repository, from: Option<Oid>, key: &PublicKey) -> Result<Option<Oid>, GitError> {
    let mut next = from;
    for _ in 0..MAX_FOREIGN {
        let Some(id) = next else { break };
        if verify_commit_by_key(repo, id, key).is_ok() {
            return Ok(Some(id));
        }
        next = match repo.find_commit(id) {
            Ok(commit) => commit.parent_ids().next(),
            Err(_) => None,
        };
    }
    Ok(None)
}

/// The files below `folder` (empty, or with a slash at its end), with their blobs.
pub(super) fn list_folder(repo: &Repository, root: &Tree<'_>, folder: &str) -> Result<BTreeMap<String, Oid>, GitError> {
    let mut files = BTreeMap::new();
    let start = match folder.strip_suffix('/') {
        None => Some(root.id()),
        Some(path) => match root.get_path(path.as_ref()) {
            Ok(entry) => Some(entry.id()).filter(|_| entry.kind() == Some(ObjectType::Tree)),
            Err(error) if error.code() == ErrorCode::NotFound => None,
            Err(source) => return Err(GitError::Read { what: path.to_owned(), source }),
        },
    };
    let mut pending: Vec<(String, Oid, usize)> = start.map(|id| (folder.to_owned(), id, 0)).into_iter().collect();
    while let Some((path, id, depth)) = pending.pop() {
        let tree = repo.find_tree(id).map_err(GitError::read(path.as_str()))?;
        for entry in &tree {
            // The orchestrator writes plain names only.
            let Ok(name) = entry.name() else { continue };
            match entry.kind() {
                Some(ObjectType::Tree) if depth < MAX_DEPTH => {
                    pending.push((format!("{path}{name}/"), entry.id(), depth + 1));
                }
                Some(ObjectType::Blob) => drop(files.insert(format!("{path}{name}"), entry.id())),
                _ => {}
            }
        }
    }
    Ok(files)
}
