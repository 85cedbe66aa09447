//! The status branch: an orphan branch that the orchestrator alone writes.
//!
//! Each commit is signed by the status key, and written as one small pack of
//! only the new objects, with fsync. At the first commit of a month history
//! starts anew; the old tip stays at `refs/muster/status/YYYY-MM`.

mod load;
mod pack;
mod push;

use std::path::{Path, PathBuf};

use git2::{Commit, FileMode, Oid, Repository};
use muster_schema::Timestamp;
use ssh_key::PrivateKey;

pub use load::{StatusTree, load_status_tree, load_status_tree_at};

use super::error::GitError;
use super::remote_url::RemoteUrl;
use super::repository::{open_repository, read_tip};
use super::signed_commit::{CommitAuthor, store_signed_commit};
use super::tree_edit::{BlobEdits, edit_tree};
use crate::status::StatusFiles;
use load::{find_own_tip, list_folder};
use pack::PackedWriter;

/// The branch.
const STATUS: &str = "refs/heads/status";
/// Old tips, by month.
const ARCHIVE: &str = "refs/muster/status/";

/// The status branch of one fleet, in one repository.
pub struct StatusBranch {
    path: PathBuf,
    key: PrivateKey,
    remote: Option<RemoteUrl>,
    /// The last commit of ours; whatever else the reference says is overruled.
    tip: Option<Oid>,
    /// What stood on the branch instead of a commit of ours.
    foreign: Option<Oid>,
    /// Where the remote's branch was when it was last looked at.
    remote_tip: Option<Oid>,
    /// The remote takes no new start: history goes on without.
    roll_refused: bool,
}

impl StatusBranch {
    /// Opens the branch in the repository at `path`, whose commits are signed
    /// by `key`. With a `remote`, commits are pushed there by
    /// [`StatusBranch::push`]; call [`StatusBranch::fetch`] first.
    ///
    /// A tip that `key` did not sign does not count: the newest ancestor that it
    /// did sign does, and the next commit takes the branch back.
    ///
    /// # Errors
    /// When the repository cannot be opened or read.
    pub fn open(path: &Path, key: PrivateKey, remote: Option<RemoteUrl>) -> Result<Self, GitError> {
        let repo = open_repository(path)?;
        let found = read_tip(&repo, STATUS)?;
        let tip = find_own_tip(&repo, found, key.public_key())?;
        let foreign = found.filter(|found| Some(*found) != tip);
        Ok(Self { path: path.to_owned(), key, remote, tip, foreign, remote_tip: None, roll_refused: false })
    }

    /// The newest commit of ours.
    pub fn tip(&self) -> Option<Oid> {
        self.tip
    }

    /// What stood on the branch at the last look though it is no commit of ours:
    /// someone else can write there.
    pub fn foreign_tip(&self) -> Option<Oid> {
        self.foreign
    }

    /// Commits what differs from the tip, durably, and moves the branch; nothing
    /// when nothing differs. Blocks: some milliseconds, or seconds for ten
    /// thousand hosts.
    ///
    /// # Errors
    /// When it cannot be written. The branch is then where it was.
    pub fn commit(&mut self, changes: &StatusFiles, message: &str, now: Timestamp) -> Result<Option<Oid>, GitError> {
        let repo = open_repository(&self.path)?;
        let parent =
            self.tip.map(|id| repo.find_commit(id)).transpose().map_err(GitError::read("the status commit"))?;
        let writer = PackedWriter::start(&repo)?;
        let Some((tree, mut written)) = write_tree(&repo, parent.as_ref(), changes)? else {
            return Ok(None);
        };
        let month = month_of(now);
        let old_month = parent.as_ref().map(|commit| month_of(commit_time(commit)));
        let rolls = !self.roll_refused && old_month.as_ref().is_some_and(|old| *old < month);
        let commit = {
            let parents: Vec<_> = parent.iter().filter(|_| !rolls).collect();
            store_signed_commit(&repo, tree, &parents, message, &self.author(now), &self.key)?
        };
        written.push(commit);
        writer.finish(&written)?;

        if let (true, Some(old), Some(old_month)) = (rolls, self.tip, old_month) {
            let archive = format!("{ARCHIVE}{old_month}");
            repo.reference(&archive, old, true, "status: keep the month").map_err(GitError::write(archive.as_str()))?;
        }
        // Only the orchestrator writes here, so a tip of someone else's goes.
        self.foreign = read_tip(&repo, STATUS)?.filter(|found| Some(*found) != self.tip);
        repo.reference(STATUS, commit, true, message).map_err(GitError::write(STATUS))?;
        self.tip = Some(commit);
        Ok(Some(commit))
    }

    fn author(&self, time: Timestamp) -> CommitAuthor {
        CommitAuthor { name: "muster".into(), email: "muster@localhost".into(), time }
    }
}

/// Writes blobs and trees for `changes`, and returns the new root and every
/// object that was written; nothing when the tree stays the same.
fn write_tree(
    repo: &Repository,
    parent: Option<&Commit<'_>>,
    changes: &StatusFiles,
) -> Result<Option<(Oid, Vec<Oid>)>, GitError> {
    let base = parent.map(Commit::tree_id);
    let base_tree = base.map(|id| repo.find_tree(id)).transpose().map_err(GitError::read("the status tree"))?;
    let mut obsolete = Vec::new();
    if let Some(tree) = &base_tree {
        for folder in &changes.whole_folders {
            obsolete
                .extend(list_folder(repo, tree, folder)?.into_keys().filter(|path| !changes.files.contains_key(path)));
        }
    }
    let mut edits: BlobEdits<'_> = obsolete.iter().map(|path| (path.as_str(), None)).collect();
    let mut written = Vec::new();
    for (path, content) in &changes.files {
        let Some(bytes) = content else {
            edits.insert(path, None);
            continue;
        };
        let id = Oid::hash_object(git2::ObjectType::Blob, bytes).map_err(GitError::write(path.as_str()))?;
        let held = base_tree.as_ref().and_then(|tree| tree.get_path(Path::new(path)).ok());
        if held.is_some_and(|held| held.id() == id) {
            continue;
        }
        repo.blob(bytes).map_err(GitError::write(path.as_str()))?;
        written.push(id);
        edits.insert(path, Some((id, FileMode::Blob)));
    }
    let (tree, trees) = edit_tree(repo, base, &edits)?;
    written.extend(trees);
    Ok((Some(tree) != base).then_some((tree, written)))
}

fn commit_time(commit: &Commit<'_>) -> Timestamp {
    Timestamp(u64::try_from(commit.time().seconds()).unwrap_or(0).saturating_mul(1000))
}

/// `YYYY-MM`, in UTC.
fn month_of(time: Timestamp) -> String {
    let millis = i64::try_from(time.0).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
    time.to_zoned(jiff::tz::TimeZone::UTC).strftime("%Y-%m").to_string()
}
