//! Why a step of the cycle failed.

use crate::bundle::BundleError;
use crate::io::anchor::AnchorError;
use crate::io::archive::ArchiveError;
use crate::io::audit::AuditError;
use crate::io::git::GitError;
use crate::io::inbox::InboxError;
use crate::io::repository::RepositoryError;
use crate::io::store::StoreError;
use crate::keys::KeysError;
use crate::status::RenderStatusError;

/// A step that could not be done. What was published and committed stays as it
/// was; the cycle tries again.
#[derive(Debug, thiserror::Error)]
pub enum CycleError {
    /// The state repository cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The files of a revision cannot be listed.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// The published tree cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Packing or signing failed.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// What agents said cannot be kept.
    #[error(transparent)]
    Inbox(#[from] InboxError),
    /// The status cannot be written down.
    #[error(transparent)]
    Status(#[from] RenderStatusError),
    /// There is no record of a verified commit.
    #[error(
        "nothing says which commit of the state repository is to be trusted; \
         look at the history, then start once with --trust COMMIT"
    )]
    NoAnchor,
    /// The keys name no root.
    #[error("the keys folder has no root document")]
    NoRoot,
    /// The anchor cannot be kept.
    #[error(transparent)]
    Anchor(#[from] AnchorError),
    /// The audit log cannot be written: nothing is done that is not in it.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// What was published or said cannot be kept.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A checkpoint cannot be written down.
    #[error("a checkpoint of the audit log cannot be written down")]
    Checkpoint(#[from] serde_json::Error),
    /// Rendering a host panicked: a fault of muster's own.
    #[error("rendering stopped unexpectedly; this is a fault of muster")]
    RenderPanicked,
    /// The watched branch is missing.
    #[error("the state repository has no branch {0}")]
    NoBranch(String),
}
