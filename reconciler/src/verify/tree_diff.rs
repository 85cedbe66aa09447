//! Which files differ between two trees, by object ids: equal folders are not opened.

use std::cmp::Ordering;

use git2::{ObjectType, Odb, Oid, Repository};

use super::display::display_text;
use super::fault::CommitFault;
use super::limits::{MAX_DEPTH, MAX_FILES, MAX_TREE_BYTES};
use super::tree_object::{TreeEntry, compare_entries, parse_tree};

/// Lists the paths of the files and links that differ between the trees `before` and `after`, in
/// content or mode. What was renamed is there twice. `None` is a tree without files.
///
/// A tree that nobody checked may be given as `before`: it is only followed within bounds.
pub(super) fn changed_paths(
    repo: &Repository,
    before: Option<Oid>,
    after: Option<Oid>,
) -> Result<Vec<String>, CommitFault> {
    let unreadable = |source| CommitFault::Unreadable { id: after.or(before).unwrap_or(Oid::ZERO_SHA1), source };
    let mut walk = Walk { odb: repo.odb().map_err(unreadable)?, path: Vec::new(), changed: Vec::new() };
    walk.compare_folders(before, after)?;
    Ok(walk.changed)
}

struct Walk<'repo> {
    odb: Odb<'repo>,
    path: Vec<Vec<u8>>,
    changed: Vec<String>,
}

impl Walk<'_> {
    fn compare_folders(&mut self, before: Option<Oid>, after: Option<Oid>) -> Result<(), CommitFault> {
        if before == after {
            return Ok(());
        }
        if self.path.len() > MAX_DEPTH {
            return Err(self.too_large(MAX_DEPTH as u64, "nested folders"));
        }
        let (before, after) = (self.read(before)?, self.read(after)?);
        let (before, after) = (self.parse(&before)?, self.parse(&after)?);
        let (mut old, mut new) = (before.iter().peekable(), after.iter().peekable());
        // Whatever the order of a tree is: only what is equal in both is passed over.
        loop {
            let order = match (old.peek(), new.peek()) {
                (None, None) => return Ok(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(one), Some(other)) => compare_entries(one, other),
            };
            let one = if order.is_le() { old.next() } else { None };
            let other = if order.is_ge() { new.next() } else { None };
            self.compare_entries(one, other)?;
        }
    }

    /// Two entries of one name, both folders or both none; or one alone.
    fn compare_entries(
        &mut self,
        before: Option<&TreeEntry<'_>>,
        after: Option<&TreeEntry<'_>>,
    ) -> Result<(), CommitFault> {
        let Some(entry) = before.or(after) else { return Ok(()) };
        if before.map(|entry| (entry.id, entry.mode)) == after.map(|entry| (entry.id, entry.mode)) {
            return Ok(());
        }
        self.path.push(entry.name.to_vec());
        if entry.is_folder() {
            self.compare_folders(before.map(|entry| entry.id), after.map(|entry| entry.id))?;
        } else if self.changed.len() as u64 >= MAX_FILES {
            return Err(self.too_large(MAX_FILES, "changed files"));
        } else {
            self.changed.push(String::from_utf8_lossy(&self.path.join(&b'/')).into_owned());
        }
        self.path.pop();
        Ok(())
    }

    fn read(&self, id: Option<Oid>) -> Result<Vec<u8>, CommitFault> {
        let Some(id) = id else { return Ok(Vec::new()) };
        let unreadable = |source| CommitFault::Unreadable { id, source };
        let (size, kind) = self.odb.read_header(id).map_err(unreadable)?;
        if kind != ObjectType::Tree {
            return Err(CommitFault::UnsafePath { path: self.name(), reason: "its mode and its object disagree" });
        }
        if size > MAX_TREE_BYTES {
            return Err(self.too_large(MAX_TREE_BYTES as u64, "bytes of names"));
        }
        Ok(self.odb.read(id).map_err(unreadable)?.data().to_vec())
    }

    fn parse<'a>(&self, raw: &'a [u8]) -> Result<Vec<TreeEntry<'a>>, CommitFault> {
        parse_tree(raw)
            .ok_or_else(|| CommitFault::UnsafePath { path: self.name(), reason: "it is no folder that git writes" })
    }

    fn too_large(&self, limit: u64, unit: &'static str) -> CommitFault {
        CommitFault::TooLarge { path: self.name(), limit, unit }
    }

    fn name(&self) -> String {
        if self.path.is_empty() { "the repository's root".into() } else { display_text(&self.path.join(&b'/')) }
    }
}
