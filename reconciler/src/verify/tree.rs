//! Checks that a tree holds only what may be read from it.

use std::collections::{HashMap, HashSet};

use git2::{ObjectType, Odb, Oid, Repository};

use super::display::display_text;
use super::fault::CommitFault;
use super::limits::{MAX_BLOB_BYTES, MAX_DEPTH, MAX_FILES, MAX_LINK_BYTES, MAX_TREE_BYTES};
use super::tree_object::{TreeEntry, is_in_order, parse_tree};

const MODE_FOLDER: &[u8] = b"40000";
const MODE_FILE: &[u8] = b"100644";
const MODE_EXECUTABLE: &[u8] = b"100755";
const MODE_LINK: &[u8] = b"120000";
const MODE_SUBMODULE: &[u8] = b"160000";

/// Checks trees, each folder once: commits share most of theirs.
pub(super) struct TreeChecker<'repo> {
    repo: &'repo Repository,
    odb: Odb<'repo>,
    /// Files and folders of a folder that passed. The depth is part of the key because
    /// how far a relative link may climb depends on it.
    passed: HashMap<(Oid, usize), u64>,
    /// Raw entries of plain files that passed: most of a changed folder.
    passed_files: HashSet<Vec<u8>>,
    /// The tree passed before: its files' sizes are known to be within bounds.
    passed_before: bool,
}

impl<'repo> TreeChecker<'repo> {
    pub(super) fn new(repo: &'repo Repository) -> Result<Self, git2::Error> {
        Ok(Self { repo, odb: repo.odb()?, passed: HashMap::new(), passed_files: HashSet::new(), passed_before: false })
    }

    /// Checks the root tree `id` and everything below it.
    pub(super) fn check_tree(&mut self, id: Oid) -> Result<(), CommitFault> {
        self.check_folder(id, &mut Vec::new()).map(|_| ())
    }

    /// Learns the root tree `id`, which passed before, so that only what differs
    /// from it is checked. Looking up every file's size is most of the work.
    pub(super) fn learn_tree(&mut self, id: Oid) -> Result<(), CommitFault> {
        self.passed_before = true;
        let learned = self.check_tree(id);
        self.passed_before = false;
        learned
    }

    /// Returns the number of files and folders that the folder is made of, itself included: trees without a file
    /// unfold as well.
    fn check_folder(&mut self, id: Oid, path: &mut Vec<Vec<u8>>) -> Result<u64, CommitFault> {
        if let Some(&files) = self.passed.get(&(id, path.len())) {
            return Ok(files);
        }
        if path.len() > MAX_DEPTH {
            return Err(too_large(path, MAX_DEPTH as u64, "nested folders"));
        }
        if self.read_size(id, ObjectType::Tree, path)? > MAX_TREE_BYTES {
            return Err(too_large(path, MAX_TREE_BYTES as u64, "bytes of names"));
        }
        let unreadable = |source| CommitFault::Unreadable { id, source };
        let odb = self.repo.odb().map_err(unreadable)?;
        let tree = odb.read(id).map_err(unreadable)?;
        let entries = parse_tree(tree.data()).ok_or_else(|| unsafe_path(path, "it is no folder that git writes"))?;
        if !is_in_order(&entries) {
            return Err(unsafe_path(path, "its names are not unique or not in order"));
        }
        let mut files: u64 = 1;
        for entry in &entries {
            files = files.saturating_add(self.check_entry(entry, path)?);
            if files > MAX_FILES {
                return Err(too_large(path, MAX_FILES, "files and folders"));
            }
        }
        self.passed.insert((id, path.len()), files);
        Ok(files)
    }

    /// Returns the number of files and folders in the entry.
    fn check_entry(&mut self, entry: &TreeEntry<'_>, path: &mut Vec<Vec<u8>>) -> Result<u64, CommitFault> {
        if self.passed_files.contains(entry.raw) {
            return Ok(1);
        }
        path.push(entry.name.to_vec());
        check_name(entry.name, path)?;
        let files = match entry.mode {
            MODE_FOLDER => self.check_folder(entry.id, path)?,
            MODE_FILE | MODE_EXECUTABLE => self.check_file(entry, path)?,
            MODE_LINK => self.check_link(entry.id, path)?,
            MODE_SUBMODULE => return Err(CommitFault::Submodule { path: join(path) }),
            _ => return Err(unsafe_path(path, "its mode is none that git writes")),
        };
        path.pop();
        Ok(files)
    }

    fn check_file(&mut self, entry: &TreeEntry<'_>, path: &[Vec<u8>]) -> Result<u64, CommitFault> {
        if !self.passed_before && self.read_size(entry.id, ObjectType::Blob, path)? > MAX_BLOB_BYTES {
            return Err(too_large(path, MAX_BLOB_BYTES as u64, "bytes"));
        }
        self.passed_files.insert(entry.raw.to_vec());
        Ok(1)
    }

    fn check_link(&self, id: Oid, path: &[Vec<u8>]) -> Result<u64, CommitFault> {
        if self.read_size(id, ObjectType::Blob, path)? > MAX_LINK_BYTES {
            return Err(too_large(path, MAX_LINK_BYTES as u64, "bytes"));
        }
        let target = self.odb.read(id).map_err(|source| CommitFault::Unreadable { id, source })?;
        if stays_inside(target.data(), path.len() - 1) {
            Ok(1)
        } else {
            Err(CommitFault::LinkLeavesTree { path: join(path) })
        }
    }

    /// The size of an object, read from its header only.
    fn read_size(&self, id: Oid, kind: ObjectType, path: &[Vec<u8>]) -> Result<usize, CommitFault> {
        let (size, found) = self.odb.read_header(id).map_err(|source| CommitFault::Unreadable { id, source })?;
        if found == kind { Ok(size) } else { Err(unsafe_path(path, "its mode and its object disagree")) }
    }
}

fn check_name(name: &[u8], path: &[Vec<u8>]) -> Result<(), CommitFault> {
    let refuse = |reason| Err(unsafe_path(path, reason));
    let Ok(text) = std::str::from_utf8(name) else {
        return refuse("the name is not UTF-8");
    };
    match text {
        "" | "." | ".." => refuse("the name is reserved"),
        _ if is_git_folder(text) => refuse("the name is git's own"),
        _ if text.contains(['/', '\\']) => refuse("the name holds a slash"),
        _ if text.chars().any(char::is_control) => refuse("the name holds a control character"),
        _ if text.len() > 255 => refuse("the name is longer than 255 bytes"),
        _ => Ok(()),
    }
}

/// `.git` in the spellings that some file system takes for it.
fn is_git_folder(name: &str) -> bool {
    // HFS+ ignores these characters, Windows trailing dots and blanks.
    let ignored = |c: &char| matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}');
    if name.is_ascii() && !name.starts_with(['.', 'g', 'G']) {
        return false;
    }
    let folded: String = name.chars().filter(|c| !ignored(c)).collect::<String>().to_ascii_lowercase();
    let folded = folded.trim_end_matches(['.', ' ']);
    matches!(folded, ".git" | "git~1")
}

/// Whether a link in a folder at `depth` stays below the root. Judged by the
/// text alone, so a target that first enters and then climbs is refused when
/// the text climbs out at any point.
fn stays_inside(target: &[u8], depth: usize) -> bool {
    if target.is_empty() || target.starts_with(b"/") || target.contains(&0) {
        return false;
    }
    let mut depth = depth;
    for part in target.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => match depth.checked_sub(1) {
                Some(up) => depth = up,
                None => return false,
            },
            name => match std::str::from_utf8(name) {
                Ok(text) if !is_git_folder(text) => depth += 1,
                _ => return false,
            },
        }
    }
    true
}

fn join(path: &[Vec<u8>]) -> String {
    display_text(&path.join(&b'/'))
}

fn unsafe_path(path: &[Vec<u8>], reason: &'static str) -> CommitFault {
    CommitFault::UnsafePath { path: name_of(path), reason }
}

fn too_large(path: &[Vec<u8>], limit: u64, unit: &'static str) -> CommitFault {
    CommitFault::TooLarge { path: name_of(path), limit, unit }
}

fn name_of(path: &[Vec<u8>]) -> String {
    if path.is_empty() { "the repository's root".into() } else { join(path) }
}
