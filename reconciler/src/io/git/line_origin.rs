//! Which commit brought a line, or changed a file last.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use git2::{Blame, BlameOptions, Commit, Oid, Repository, Sort};
use muster_schema::{CommitId, Timestamp};
use serde::Serialize;

use super::GitError;

/// A commit, and what it says of itself: whose key signed it is another question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CommitOrigin {
    /// The commit.
    pub commit: CommitId,
    /// The author's name.
    pub author: String,
    /// The author's e-mail address.
    pub email: String,
    /// When it was written.
    pub at: Timestamp,
    /// The first line of its message.
    pub subject: String,
}

/// Looks lines and files up in the history of one commit. What was found of a file is kept.
pub struct Origins<'r> {
    repository: &'r Repository,
    tip: Oid,
    blames: HashMap<Arc<str>, Blame<'r>>,
}

impl<'r> Origins<'r> {
    /// Those of the history of `tip`.
    pub fn of(repository: &'r Repository, tip: Oid) -> Origins<'r> {
        Origins { repository, tip, blames: HashMap::new() }
    }

    /// Which commit brought this line of a file, counted from 1.
    ///
    /// # Errors
    /// When the file has no such line, or the history cannot be read.
    pub fn of_line(&mut self, file: &Arc<str>, line: u32) -> Result<CommitOrigin, GitError> {
        let name: &str = file;
        if !self.blames.contains_key(file) {
            let mut options = BlameOptions::new();
            options.newest_commit(self.tip);
            let blame = self.repository.blame_file(Path::new(name), Some(&mut options));
            self.blames.insert(file.clone(), blame.map_err(GitError::read(name))?);
        }
        let hunk = self.blames.get(file).and_then(|blame| blame.get_line(usize::try_from(line).ok()?));
        let commit = hunk.map(|hunk| hunk.final_commit_id());
        let none = || GitError::read(name)(git2::Error::from_str("the file has no such line"));
        read_origin(self.repository, commit.ok_or_else(none)?)
    }

    /// Which commit changed this file last: that of the history whose file is another one than that of each parent.
    ///
    /// # Errors
    /// When there is no such file, or the history cannot be read.
    pub fn of_file(&self, file: &str) -> Result<CommitOrigin, GitError> {
        let read = || GitError::read(file);
        let blob_of = |commit: &Commit<'_>| {
            let entry = commit.tree().and_then(|tree| tree.get_path(Path::new(file)));
            entry.map(|entry| entry.id()).ok()
        };
        let mut walk = self.repository.revwalk().map_err(read())?;
        walk.set_sorting(Sort::TOPOLOGICAL).map_err(read())?;
        walk.push(self.tip).map_err(read())?;
        let wanted = blob_of(&self.repository.find_commit(self.tip).map_err(read())?);
        for commit in walk {
            let commit = self.repository.find_commit(commit.map_err(read())?).map_err(read())?;
            let blob = blob_of(&commit);
            if blob.is_some() && blob == wanted && commit.parents().all(|parent| blob_of(&parent) != blob) {
                return origin_of(&commit);
            }
        }
        Err(read()(git2::Error::from_str("there is no such file")))
    }
}

/// What a commit says of itself.
///
/// # Errors
/// When it cannot be read.
pub fn read_origin(repository: &Repository, commit: Oid) -> Result<CommitOrigin, GitError> {
    origin_of(&repository.find_commit(commit).map_err(GitError::read(commit.to_string()))?)
}

fn origin_of(commit: &Commit<'_>) -> Result<CommitOrigin, GitError> {
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (author, id) = (commit.author(), commit.id().to_string());
    let no_id = |_| GitError::read(id.as_str())(git2::Error::from_str("it has an id of another length"));
    Ok(CommitOrigin {
        commit: id.parse().map_err(no_id)?,
        author: lossy(author.name_bytes()),
        email: lossy(author.email_bytes()),
        at: Timestamp(u64::try_from(author.when().seconds()).unwrap_or(0).saturating_mul(1000)),
        subject: lossy(commit.message_bytes()).lines().next().unwrap_or_default().to_owned(),
    })
}
