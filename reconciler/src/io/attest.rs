//! Makes and checks the folders of `muster attest`.
#![allow(clippy::disallowed_methods, reason = "this is where a bundle's files are")]

mod collect;
mod folder;
mod verify;

use std::path::PathBuf;

use super::archive::ArchiveError;
use super::audit::AuditError;
use super::git::GitError;
use super::key_folder::KeyFolderError;
use super::repository::RepositoryError;
use super::store::StoreError;
use crate::attest::AttestFault;

pub use collect::{AttestSource, collect_bundle};
pub use folder::{keep_bundle, load_bundle};
pub use verify::{Trust, verify_bundle};

/// Why there is no bundle, or none that holds.
#[derive(Debug, thiserror::Error)]
pub enum AttestError {
    /// A file of it cannot be read or written.
    #[error("{path}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is nothing to show.
    #[error("{0}")]
    Nothing(String),
    /// It does not hold.
    #[error(transparent)]
    Fault(#[from] AttestFault),
    /// The archive cannot be read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The published tree cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The published root documents do not hold.
    #[error(transparent)]
    Roots(#[from] KeyFolderError),
    /// The repository cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The files of a commit cannot be listed.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// The audit log cannot be read.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// JSON failed.
    #[error("writing JSON failed")]
    Json(#[from] serde_json::Error),
}
