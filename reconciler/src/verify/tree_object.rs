//! A strict reader of raw tree objects.

use std::cmp::Ordering;

use git2::Oid;

/// One entry of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeEntry<'tree> {
    /// The mode in octal digits, as stored.
    pub mode: &'tree [u8],
    /// The name.
    pub name: &'tree [u8],
    /// The object.
    pub id: Oid,
    /// The entry's own bytes.
    pub raw: &'tree [u8],
}

impl TreeEntry<'_> {
    pub(super) fn is_folder(&self) -> bool {
        self.mode == b"40000"
    }
}

/// Bytes of an object id.
const ID_BYTES: usize = 20;

/// Takes a tree apart; nothing when the bytes are no tree.
pub fn parse_tree(raw: &[u8]) -> Option<Vec<TreeEntry<'_>>> {
    let mut entries = Vec::with_capacity(raw.len() / 40);
    let mut rest = raw;
    while !rest.is_empty() {
        // A mode has five or six digits.
        let space = rest.iter().take(7).position(|&byte| byte == b' ')?;
        let name = rest.get(space + 1..)?;
        let name = name.get(..name.iter().position(|&byte| byte == 0)?)?;
        let id_at = space + 1 + name.len() + 1;
        let id = Oid::from_bytes(rest.get(id_at..id_at + ID_BYTES)?).ok()?;
        let (entry, after) = rest.split_at(id_at + ID_BYTES);
        entries.push(TreeEntry { mode: &entry[..space], name, id, raw: entry });
        rest = after;
    }
    Some(entries)
}

/// Whether the entries are in git's order and their names unique. A search by
/// name and a walk would see different trees otherwise.
pub fn is_in_order(entries: &[TreeEntry<'_>]) -> bool {
    // Files that may still be followed by a folder of the same name: git
    // sorts a folder as if its name ended in a slash.
    let mut open_files: Vec<&[u8]> = Vec::new();
    let mut last: Option<&TreeEntry<'_>> = None;
    for entry in entries {
        if last.is_some_and(|last| compare_entries(last, entry).is_ge()) {
            return false;
        }
        while open_files.last().is_some_and(|file| !entry.name.starts_with(file)) {
            open_files.pop();
        }
        if !entry.is_folder() {
            open_files.push(entry.name);
        } else if open_files.contains(&entry.name) {
            return false;
        }
        last = Some(entry);
    }
    true
}

/// git's order, in which a folder's name ends in a slash. Equal only where both
/// are folders of one name, or neither is.
pub(super) fn compare_entries(a: &TreeEntry<'_>, b: &TreeEntry<'_>) -> Ordering {
    let shared = a.name.len().min(b.name.len());
    let next = |entry: &TreeEntry<'_>| match entry.name.get(shared) {
        Some(&byte) => byte,
        None if entry.is_folder() => b'/',
        None => 0,
    };
    let order = a.name[..shared].cmp(&b.name[..shared]).then_with(|| next(a).cmp(&next(b)));
    // A name of which the other is the beginning, and then a slash, is no name of a file.
    order.then_with(|| a.name.len().cmp(&b.name.len()))
}
