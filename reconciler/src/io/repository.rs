//! Reads the files of a state repository: from a folder, or from a revision in Git.
#![allow(clippy::disallowed_methods, reason = "this is where the files are read")]

mod folder;
mod revision;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

pub use folder::list_folder;
pub use revision::{list_paths, list_revision};

use crate::model::FileEntry;

/// The most files and folders that a state repository may have.
pub const MAX_ENTRIES: usize = 200_000;
/// How deep folders may lie in one another.
const MAX_DEPTH: usize = 64;

/// Why the files of a state repository cannot be listed.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// A folder or file of the tree cannot be read.
    #[error("{path} cannot be read", path = path.display())]
    Unreadable {
        /// What could not be read.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Git's object database does not give the tree.
    #[error("the tree of revision {revision} cannot be read")]
    Git {
        /// The revision.
        revision: String,
        /// Why.
        source: git2::Error,
    },
    /// More files and folders than any fleet has.
    #[error("the repository has more than {MAX_ENTRIES} files and folders")]
    TooMany,
    /// Folders within folders, without end.
    #[error("{path} lies in more than {MAX_DEPTH} folders")]
    TooDeep {
        /// The folder.
        path: Arc<str>,
    },
}

/// What was listed so far, within bounds.
#[derive(Default)]
struct Listing {
    entries: Vec<(Arc<str>, FileEntry)>,
    /// Counted too: a few trees of Git's unfold into any number of folders without a file.
    folders: usize,
}

impl Listing {
    fn add(&mut self, path: Arc<str>, entry: FileEntry) -> Result<(), RepositoryError> {
        self.entries.push((path, entry));
        self.check()
    }

    /// Goes into the folder at `path`, which lies in `depth` others.
    fn enter(&mut self, path: &Arc<str>, depth: usize) -> Result<(), RepositoryError> {
        if depth > MAX_DEPTH {
            return Err(RepositoryError::TooDeep { path: path.clone() });
        }
        self.folders += 1;
        self.check()
    }

    fn check(&self) -> Result<(), RepositoryError> {
        if self.entries.len() + self.folders > MAX_ENTRIES { Err(RepositoryError::TooMany) } else { Ok(()) }
    }
}

/// Top folders and files that mean something to muster; others are not looked into.
fn is_of_interest(top: &str) -> bool {
    crate::model::TOP.contains(&top) || muster_schema::document::RESERVED_FOLDERS.contains(&top)
}
