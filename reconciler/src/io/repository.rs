//! Reads the files of a state repository: from a folder, or from a revision in Git.
#![allow(clippy::disallowed_methods, reason = "this is where the files are read")]

mod folder;
mod revision;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub use folder::list_folder;
pub use revision::list_revision;

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
    /// More entries than any fleet has, or folders that lie too deep.
    #[error("the repository has more than {MAX_ENTRIES} entries, or folders deeper than {MAX_DEPTH}")]
    TooLarge,
}

/// Top folders and files that mean something to muster; others are not looked into.
fn is_of_interest(top: &str) -> bool {
    const FOLDERS: [&str; 6] = ["applications", "environments", "files", "muster.yaml", "policy", "profiles"];
    FOLDERS.contains(&top) || muster_schema::document::RESERVED_FOLDERS.contains(&top)
}
