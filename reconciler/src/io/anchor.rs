//! The newest verified commit, on the orchestrator's own disk.
#![allow(clippy::disallowed_methods, reason = "this is the anchor's file")]

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use muster_schema::CommitId;

/// The anchor cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{path}")]
pub struct AnchorError {
    path: PathBuf,
    source: io::Error,
}

/// The anchor that was kept in the folder `data`, which is made where it is
/// missing; nothing where none was kept.
///
/// # Errors
/// When the folder cannot be made, or the file not be read.
pub fn load_anchor(data: &Path) -> Result<Option<CommitId>, AnchorError> {
    let path = data.join("anchor");
    match fs::create_dir_all(data).and_then(|()| fs::read_to_string(&path)) {
        Ok(text) => Ok(text.trim_end().parse().ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(AnchorError { path, source }),
    }
}

/// Keeps the anchor, durably: the old one or the new one is there, whatever happens.
///
/// # Errors
/// When it cannot be written.
pub fn keep_anchor(data: &Path, anchor: &CommitId) -> Result<(), AnchorError> {
    let path = data.join("anchor");
    let new = data.join("anchor.new");
    let write = || {
        let mut file = File::create(&new)?;
        file.write_all(anchor.as_str().as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        File::open(data)?.sync_all()
    };
    write().map_err(|source| AnchorError { path: path.clone(), source })
}
