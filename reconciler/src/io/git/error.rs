//! What can go wrong with a repository.

use std::path::PathBuf;
use std::time::Duration;

use git2::Oid;

/// An error of a Git operation. None of them says that content is refused;
/// that is what `verify` does.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GitError {
    /// The repository cannot be opened or made.
    #[error("git repository {path} cannot be opened")]
    Open {
        /// The repository.
        path: PathBuf,
        /// What libgit2 says.
        source: git2::Error,
    },
    /// Something in the repository cannot be read.
    #[error("{what} cannot be read")]
    Read {
        /// What was read.
        what: String,
        /// What libgit2 says.
        source: git2::Error,
    },
    /// Something cannot be written into the repository.
    #[error("{what} cannot be written")]
    Write {
        /// What was written.
        what: String,
        /// What libgit2 says.
        source: git2::Error,
    },
    /// Someone else moved the branch meanwhile; read it again and retry.
    #[error("{reference} was moved by someone else, it is not at {} any more", .expected.map_or_else(|| "its start".to_owned(), |id| id.to_string()))]
    Moved {
        /// The reference.
        reference: String,
        /// Where it was expected.
        expected: Option<Oid>,
    },
    /// A path that a commit cannot hold.
    #[error("'{path}' is no path of a file in a repository")]
    BadPath {
        /// The path.
        path: String,
    },
    /// Two branches change the same, so that there is no automatic merge.
    #[error("both sides change {}", .paths.join(", "))]
    Conflict {
        /// Where, cleaned for display.
        paths: Vec<String>,
    },
    /// A file in the work tree has changes that are not committed.
    #[error("'{path}' has changes that are not committed")]
    Dirty {
        /// The path.
        path: String,
    },
    /// The key does not sign.
    #[error("the SSH key cannot sign")]
    Key(#[source] ssh_key::Error),
    /// A program could not be started or read.
    #[error("{action}: the program cannot be run")]
    Program {
        /// What was to be done.
        action: String,
        /// Why not.
        source: std::io::Error,
    },
    /// A program ended with an error.
    #[error("{action} failed: {message}")]
    Failed {
        /// What was to be done.
        action: String,
        /// The last lines that the program wrote, cleaned for display.
        message: String,
    },
    /// A program did not end in time, and was stopped.
    #[error("{action} did not end within {} s", .limit.as_secs())]
    TimedOut {
        /// What was to be done.
        action: String,
        /// The limit.
        limit: Duration,
    },
    /// A folder cannot be watched.
    #[error("{path} cannot be watched")]
    Watch {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: notify::Error,
    },
    /// A file beside the repository cannot be read or written.
    #[error("{path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

impl GitError {
    /// What a person can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Open { source, .. } if source.code() == git2::ErrorCode::Owner => {
                Some("another user owns it: `git config --global --add safe.directory PATH`")
            }
            Self::Dirty { .. } => Some("commit or stash them first"),
            _ => None,
        }
    }

    pub(super) fn read(what: impl Into<String>) -> impl FnOnce(git2::Error) -> Self {
        let what = what.into();
        move |source| Self::Read { what, source }
    }

    pub(super) fn write(what: impl Into<String>) -> impl FnOnce(git2::Error) -> Self {
        let what = what.into();
        move |source| Self::Write { what, source }
    }
}
