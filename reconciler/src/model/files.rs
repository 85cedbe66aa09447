//! The files of a state repository, wherever they lie.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use muster_schema::BlobId;

use super::{Finding, Place};

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileEntry {
    /// A regular file.
    File(BlobId),
    /// A file or folder at the top that muster has no use for, and does not look into.
    Unused,
    /// A symbolic link.
    Link {
        /// What it holds.
        target: String,
    },
    /// What a state repository cannot have: a device, a submodule, a name that is not UTF-8.
    Refused {
        /// What it is, for a sentence.
        what: &'static str,
    },
}

/// Why a content cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// It is larger than asked for.
    #[error("the file is larger than {limit} bytes")]
    TooLarge {
        /// The most bytes that were allowed.
        limit: u64,
    },
    /// The folder or the object database does not give it.
    #[error("the file cannot be read: {0}")]
    Unreadable(String),
}

/// Where contents come from: a folder, or Git's object database.
pub trait BlobSource: Send + Sync {
    /// The content at `path`, at most `limit` bytes.
    ///
    /// # Errors
    /// When it is larger, or cannot be read.
    fn load_blob(&self, path: &str, id: BlobId, limit: u64) -> Result<Vec<u8>, BlobError>;
}

/// Contents that are other ones than in the repository.
struct Edited {
    edited: BTreeMap<Arc<str>, Vec<u8>>,
    below: Arc<dyn BlobSource>,
}

impl BlobSource for Edited {
    fn load_blob(&self, path: &str, id: BlobId, limit: u64) -> Result<Vec<u8>, BlobError> {
        match self.edited.get(path) {
            Some(bytes) if bytes.len() as u64 > limit => Err(BlobError::TooLarge { limit }),
            Some(bytes) => Ok(bytes.clone()),
            None => self.below.load_blob(path, id, limit),
        }
    }
}

/// The files of a state repository by path, sorted, and their contents on demand.
#[derive(Clone)]
pub struct RepositoryFiles {
    entries: Arc<BTreeMap<Arc<str>, FileEntry>>,
    blobs: Arc<dyn BlobSource>,
}

impl RepositoryFiles {
    /// The same files with these instead: path → content, or none where it goes.
    #[must_use]
    pub fn with(&self, edits: &BTreeMap<String, Option<Vec<u8>>>) -> RepositoryFiles {
        let mut entries = (*self.entries).clone();
        let mut edited = BTreeMap::new();
        for (path, content) in edits {
            let path: Arc<str> = Arc::from(path.as_str());
            match content {
                Some(bytes) => {
                    entries.insert(path.clone(), FileEntry::File(BlobId::of(bytes)));
                    edited.insert(path, bytes.clone());
                }
                None => _ = entries.remove(&path),
            }
        }
        RepositoryFiles { entries: Arc::new(entries), blobs: Arc::new(Edited { edited, below: self.blobs.clone() }) }
    }

    /// Files whose contents come from `blobs`.
    pub fn new(
        entries: impl IntoIterator<Item = (Arc<str>, FileEntry)>,
        blobs: Arc<dyn BlobSource>,
    ) -> RepositoryFiles {
        RepositoryFiles { entries: Arc::new(entries.into_iter().collect()), blobs }
    }

    /// All paths with what stands there.
    pub fn entries(&self) -> impl Iterator<Item = (&Arc<str>, &FileEntry)> {
        self.entries.iter()
    }

    /// What stands at a path.
    pub fn entry(&self, path: &str) -> Option<(&Arc<str>, &FileEntry)> {
        self.entries.get_key_value(path)
    }

    /// The paths below a folder, which is given without a slash at its end.
    pub fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a Arc<str>, &'a FileEntry)> {
        let first = format!("{folder}/");
        let inside = first.clone();
        self.entries
            .range::<str, _>((Bound::Included(first.as_str()), Bound::Unbounded))
            .take_while(move |(path, _)| path.starts_with(&inside))
    }

    /// The content of a regular file.
    ///
    /// # Errors
    /// A finding at the file: it is larger than `limit` bytes, or cannot be read.
    pub fn load_blob(&self, path: &str, id: BlobId, limit: u64) -> Result<Vec<u8>, Finding> {
        let loaded = self.blobs.load_blob(path, id, limit);
        loaded.map_err(|error| Finding::new(Place::start_of(path), error.to_string()))
    }

    /// Findings for what no state repository may have: paths and links that lead
    /// out of it, submodules, special files.
    pub fn check(&self) -> Vec<Finding> {
        let faults = self.entries.iter().filter_map(|(path, entry)| {
            let reason = match entry {
                _ if !is_plain_path(path) => "the path has '..' or '.git' in it".to_owned(),
                FileEntry::Link { target } if leads_out(path, target) => {
                    format!("the link leads out of the repository, to '{target}'")
                }
                FileEntry::Refused { what } => format!("{what} cannot be part of a state repository"),
                _ => return None,
            };
            Some(Finding::new(Place::start_of(path), reason))
        });
        faults.collect()
    }
}

fn is_plain_path(path: &str) -> bool {
    let refused = |part: &str| matches!(part, "" | "." | "..") || part.eq_ignore_ascii_case(".git");
    !path.split('/').any(refused)
}

/// Whether a link at `path` with this target leaves the repository on its way.
fn leads_out(path: &str, target: &str) -> bool {
    if target.starts_with('/') {
        return true;
    }
    let mut depth = path.matches('/').count();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => match depth.checked_sub(1) {
                Some(above) => depth = above,
                None => return true,
            },
            _ => depth += 1,
        }
    }
    false
}

#[cfg(test)]
mod tests;
