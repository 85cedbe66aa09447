//! The folder of one running lab, and the removal of those that killed runs left.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, flock};

const PREFIX: &str = "run-";

/// A folder that is removed with this value. Its lock says that it is in use.
#[derive(Debug)]
pub(super) struct Scratch {
    path: PathBuf,
    _lock: File,
}

impl Scratch {
    /// A new folder in `cache`; folders there that nobody holds any more are removed first.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn make(cache: &Path) -> Result<Self> {
        sweep(cache);
        let path = tempfile::Builder::new().prefix(PREFIX).tempdir_in(cache.canonicalize()?)?.keep();
        let lock = File::create(path.join("lock"))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).context("lock a folder that was just made")?;
        Ok(Self { path, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn sweep(cache: &Path) {
    for entry in fs::read_dir(cache).into_iter().flatten().flatten() {
        let path = entry.path();
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        // Without a lock file it was only just made, or nearly removed: the next sweep sees to it.
        let Some(lock) = ours.then(|| File::open(path.join("lock")).ok()).flatten() else { continue };
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok() {
            let _ = fs::remove_dir_all(&path);
        }
    }
}
