//! Contents kept by digest: plain files of mode 0600, synced before anything relies on them.
//!
//! One vault holds what was found on the host before the first change, another the blobs of the manifest. They are
//! files and no records of the store, so that a store that is lost takes no original with it.

#![allow(clippy::disallowed_methods)]

use crate::resource::{Contents, ResourceError};
use muster_schema::Sha256Digest;
use muster_schema::content::{BlobRef, MAX_BLOB_BYTES};
use std::collections::HashSet;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Cursor, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Up to so many files are synced one by one; more of them share one `syncfs`.
const SYNCED_ONE_BY_ONE: usize = 3;

/// The vault's disk refused.
#[derive(Debug, thiserror::Error)]
#[error("vault {path}")]
pub struct VaultError {
    /// What was touched.
    path: PathBuf,
    /// The system's reason.
    #[source]
    source: std::io::Error,
}

/// A folder of contents.
#[derive(Debug)]
pub struct Vault {
    folder: PathBuf,
    next: AtomicU64,
    unsynced: Mutex<Vec<PathBuf>>,
}

impl Vault {
    /// Opens the vault in `folder`, or makes it.
    ///
    /// # Errors
    /// When the folder cannot be made or cleaned.
    pub fn open(folder: &Path) -> Result<Vault, VaultError> {
        let vault = Vault { folder: folder.to_owned(), next: AtomicU64::new(0), unsynced: Mutex::default() };
        let refused = |source| VaultError { path: folder.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(refused)?;
        for entry in std::fs::read_dir(folder).map_err(refused)? {
            let path = entry.map_err(refused)?.path();
            if path.extension().is_some_and(|extension| extension == "new") {
                std::fs::remove_file(&path).map_err(refused)?;
            }
        }
        Ok(vault)
    }

    /// The vault in `folder`, to be read only: nothing is made or cleaned.
    pub fn look(folder: &Path) -> Vault {
        Vault { folder: folder.to_owned(), next: AtomicU64::new(0), unsynced: Mutex::default() }
    }

    /// Keeps what `write` writes; it says itself what that was. Durable after the next `sync`.
    ///
    /// # Errors
    /// Those of `write`, and what the vault's disk refuses.
    pub fn keep<E: From<VaultError>>(
        &self,
        write: impl FnOnce(&mut dyn Write) -> Result<BlobRef, E>,
    ) -> Result<BlobRef, E> {
        let candidate = self.folder.join(format!("{}.new", self.next.fetch_add(1, Ordering::Relaxed)));
        let kept = self.keep_as(&candidate, write);
        if kept.is_err() {
            let _ = std::fs::remove_file(&candidate);
        }
        kept
    }

    fn keep_as<E: From<VaultError>>(
        &self,
        candidate: &Path,
        write: impl FnOnce(&mut dyn Write) -> Result<BlobRef, E>,
    ) -> Result<BlobRef, E> {
        let refused = |source| VaultError { path: candidate.to_owned(), source };
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(candidate).map_err(refused)?;
        let content = write(&mut file)?;
        let path = self.path(&content);
        std::fs::rename(candidate, &path).map_err(refused)?;
        self.lock().push(path);
        Ok(content)
    }

    /// Keeps `bytes`. Durable after the next `sync`.
    ///
    /// # Errors
    /// When the vault's disk refuses.
    pub fn keep_bytes(&self, bytes: &[u8]) -> Result<BlobRef, VaultError> {
        let content = BlobRef::of(bytes);
        if self.holds(&content) {
            return Ok(content);
        }
        self.keep(|to| {
            let refused = |source| VaultError { path: self.folder.clone(), source };
            to.write_all(bytes).map(|()| content).map_err(refused)
        })
    }

    /// Makes all that was kept durable.
    ///
    /// # Errors
    /// When the vault's disk refuses.
    pub fn sync(&self) -> Result<(), VaultError> {
        let refused = |source: std::io::Error| VaultError { path: self.folder.clone(), source };
        let paths = std::mem::take(&mut *self.lock());
        if paths.is_empty() {
            return Ok(());
        }
        let folder = File::open(&self.folder).map_err(refused)?;
        if paths.len() > SYNCED_ONE_BY_ONE {
            return rustix::fs::syncfs(&folder).map_err(|errno| refused(errno.into()));
        }
        for path in &paths {
            File::open(path).and_then(|file| file.sync_all()).map_err(refused)?;
        }
        folder.sync_all().map_err(refused)
    }

    /// The whole content, if it is there and undamaged.
    pub fn load(&self, content: &BlobRef) -> Option<Vec<u8>> {
        std::fs::read(self.path(content)).ok().filter(|bytes| BlobRef::of(bytes) == *content)
    }

    /// As `load`, for a content whose size is not known.
    pub fn load_by_digest(&self, digest: &Sha256Digest) -> Option<Vec<u8>> {
        let bytes = std::fs::read(self.folder.join(digest.to_string())).ok()?;
        (Sha256Digest::of(&bytes) == *digest).then_some(bytes)
    }

    /// Whether the content is there, by name and size.
    pub fn holds(&self, content: &BlobRef) -> bool {
        std::fs::metadata(self.path(content)).is_ok_and(|meta| meta.len() == content.size)
    }

    /// Removes a content, damaged or not, so that it is kept anew.
    pub fn forget(&self, content: &BlobRef) {
        let _ = std::fs::remove_file(self.path(content));
    }

    /// Removes every content that is not in `needed`.
    ///
    /// # Errors
    /// When the folder cannot be read or a file not removed.
    pub fn forget_all_but(&self, needed: &HashSet<BlobRef>) -> Result<(), VaultError> {
        let names: HashSet<String> = needed.iter().map(|content| content.sha256.to_string()).collect();
        let refused = |source| VaultError { path: self.folder.clone(), source };
        for entry in std::fs::read_dir(&self.folder).map_err(refused)? {
            let entry = entry.map_err(refused)?;
            if !entry.file_name().to_str().is_some_and(|name| names.contains(name)) {
                std::fs::remove_file(entry.path()).map_err(refused)?;
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<PathBuf>> {
        self.unsynced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, content: &BlobRef) -> PathBuf {
        self.folder.join(content.sha256.to_string())
    }
}

impl Contents for Vault {
    fn open(&self, content: &BlobRef) -> Result<Box<dyn Read>, ResourceError> {
        let missing = || ResourceError::NoContent(content.sha256.to_string());
        if content.size <= MAX_BLOB_BYTES {
            return Ok(Box::new(Cursor::new(self.load(content).ok_or_else(missing)?)));
        }
        // Only originals are larger, and they are not held in memory.
        Ok(Box::new(File::open(self.path(content)).map_err(|_| missing())?))
    }
}

/// Looks in one vault after the other.
pub struct Vaults<'v>(pub [&'v Vault; 2]);

impl Contents for Vaults<'_> {
    fn open(&self, content: &BlobRef) -> Result<Box<dyn Read>, ResourceError> {
        let holder = self.0.iter().find(|vault| vault.holds(content));
        holder.ok_or_else(|| ResourceError::NoContent(content.sha256.to_string()))?.open(content)
    }
}
