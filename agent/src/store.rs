//! The agent's store: marks, last known states, journal and outbox, in sled.
//!
//! sled 0.34's `flush` ends in `sync_file_range`, which survives a killed process but not a power cut. A commit here
//! is therefore `flush` and then `fdatasync` of sled's file `db`; opening syncs all files, the folder and its parent.
//! Values are cut into small pieces, because sled moves big pages into files of their own, which it never syncs.
//! Manifests, blobs and originals are plain files beside the store (`bundle`, `ledger`).

#![allow(clippy::disallowed_methods)]

mod batch;
#[cfg(test)]
mod tests;

pub use batch::Batch;

use serde::de::DeserializeOwned;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The layout of keys and values in this release. The store opens this version and the one before it.
pub const STORE_VERSION: u32 = 1;
const VERSION_KEY: &str = "version";
const CACHE_BYTES: u64 = 4 << 20;
/// How long a store may stay locked before it counts as in use. sled's threads let go of the file some time after
/// the store is dropped; a process that ended let go of it at once.
const LOCKED: Duration = Duration::from_secs(5);

/// What went wrong with the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// sled refused to read or write.
    #[error("store {path}")]
    Sled {
        /// Folder of the store.
        path: PathBuf,
        /// sled's own reason.
        #[source]
        source: sled::Error,
    },
    /// The file system refused.
    #[error("store {path}")]
    Io {
        /// File or folder that was touched.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// A record does not have the shape that this release writes.
    #[error("store record {key}")]
    Record {
        /// Key of the record.
        key: String,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
    /// Pieces of a long record are missing.
    #[error("store record {0} is incomplete")]
    Incomplete(String),
    /// Another process, or a store of this one that was just dropped, holds it.
    #[error("store {0} is in use")]
    InUse(PathBuf),
    /// Another release wrote it, and this one does not read it.
    #[error("store has no version that this release reads")]
    Version,
    /// sled gave up on damaged files.
    #[error("store is damaged")]
    Damaged,
}

/// How the store was found when it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// There was none, or an empty one.
    New,
    /// With what an earlier run wrote.
    Existing,
    /// It could not be used. It lies in this folder now, and a new one was begun.
    Quarantined(PathBuf),
}

/// A durable map of small JSON records, ordered by key.
pub struct Store {
    path: PathBuf,
    db: sled::Db,
    /// sled's own log, opened once more to sync it.
    log: File,
}

impl Store {
    /// Opens the store in the folder `path`, or begins one. One that cannot be used is moved aside, never repaired:
    /// the agent then recovers by asking for a fresh head.
    ///
    /// # Errors
    /// When even a new store cannot be made.
    pub fn open(path: &Path) -> Result<(Store, Opened), StoreError> {
        let known = path.join("db").exists();
        match open_checked(path) {
            Ok(store) => Ok((store, if known { Opened::Existing } else { Opened::New })),
            // Its owner is using it: moving it aside would take a sound store from a running agent.
            Err(error @ StoreError::InUse(_)) => Err(error),
            Err(_) if known => {
                let aside = quarantine(path)?;
                Ok((open_checked(path)?, Opened::Quarantined(aside)))
            }
            Err(error) => Err(error),
        }
    }

    /// The record at `key`.
    ///
    /// # Errors
    /// When sled fails or the record has another shape.
    pub fn load<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, StoreError> {
        let Some(head) = self.db.get(key).map_err(|source| self.sled_error(source))? else { return Ok(None) };
        let bytes = batch::join(key, &head, |piece| self.db.get(piece))
            .map_err(|source| self.sled_error(source))?
            .ok_or_else(|| StoreError::Incomplete(key.to_owned()))?;
        parse(key, &bytes).map(Some)
    }

    /// All records whose key begins with `prefix`, in the order of their keys.
    ///
    /// # Errors
    /// As `load`.
    pub fn scan<T: DeserializeOwned>(&self, prefix: &str) -> Result<Vec<(String, T)>, StoreError> {
        let mut found = Vec::new();
        for entry in self.db.scan_prefix(prefix) {
            let (key, head) = entry.map_err(|source| self.sled_error(source))?;
            let Some(key) = batch::record_key(&key) else { continue };
            let bytes = batch::join(key, &head, |piece| self.db.get(piece))
                .map_err(|source| self.sled_error(source))?
                .ok_or_else(|| StoreError::Incomplete(key.to_owned()))?;
            found.push((key.to_owned(), parse(key, &bytes)?));
        }
        Ok(found)
    }

    /// Writes all of `batch` or nothing of it; when this returns, it survives a power cut.
    ///
    /// # Errors
    /// When sled or the disk fails; what was written then is open, as after a power cut.
    pub fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        #[cfg(test)]
        crate::test_crash::point();
        let writes = batch.into_sled(|key| self.db.get(key)).map_err(|source| self.sled_error(source))?;
        self.db.apply_batch(writes).map_err(|source| self.sled_error(source))?;
        self.sync()
    }

    /// Bytes of the store on disk.
    ///
    /// # Errors
    /// When sled cannot tell.
    pub fn size_on_disk(&self) -> Result<u64, StoreError> {
        self.db.size_on_disk().map_err(|source| self.sled_error(source))
    }

    /// The durable commit: sled's flush, then what it leaves out.
    fn sync(&self) -> Result<(), StoreError> {
        self.db.flush().map_err(|source| self.sled_error(source))?;
        self.log.sync_data().map_err(|source| StoreError::Io { path: self.path.join("db"), source })
    }

    fn sled_error(&self, source: sled::Error) -> StoreError {
        StoreError::Sled { path: self.path.clone(), source }
    }
}

fn parse<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|source| StoreError::Record { key: key.to_owned(), source })
}

/// Opens and checks the version. sled panics on some kinds of damage, which counts as an error here.
fn open_checked(path: &Path) -> Result<Store, StoreError> {
    let opened = std::panic::catch_unwind(|| {
        let store = open_sled(path)?;
        check_version(&store)?;
        Ok(store)
    });
    opened.unwrap_or_else(|_| Err(StoreError::Damaged))
}

fn open_sled(path: &Path) -> Result<Store, StoreError> {
    let config = sled::Config::default().path(path).cache_capacity(CACHE_BYTES).flush_every_ms(None);
    let start = Instant::now();
    let db = loop {
        match config.open() {
            Ok(db) => break db,
            Err(error) if !is_locked(&error) => {
                return Err(StoreError::Sled { path: path.to_owned(), source: error });
            }
            Err(_) if start.elapsed() > LOCKED => return Err(StoreError::InUse(path.to_owned())),
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    sync_tree(path)?;
    let log_path = path.join("db");
    let log = File::open(&log_path).map_err(|source| StoreError::Io { path: log_path, source })?;
    Ok(Store { path: path.to_owned(), db, log })
}

/// sled wraps the refused lock in an error of its own, of which the kind is lost and the text stays.
fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(source) if source.to_string().contains("could not acquire lock"))
}

fn check_version(store: &Store) -> Result<(), StoreError> {
    match store.load::<u32>(VERSION_KEY)? {
        Some(version) if version == STORE_VERSION || version + 1 == STORE_VERSION => Ok(()),
        None if store.db.is_empty() => {
            let mut first = Batch::new();
            first.put(VERSION_KEY, &STORE_VERSION)?;
            store.commit(first)
        }
        _ => Err(StoreError::Version),
    }
}

/// Syncs every file under `path`, the folder and its parent, so that nothing of sled's set-up can be lost later.
fn sync_tree(path: &Path) -> Result<(), StoreError> {
    let io_error = |source| StoreError::Io { path: path.to_owned(), source };
    for entry in std::fs::read_dir(path).map_err(io_error)? {
        let entry = entry.map_err(io_error)?.path();
        if entry.is_dir() {
            sync_folder(&entry)?;
        } else {
            File::open(&entry).and_then(|file| file.sync_all()).map_err(io_error)?;
        }
    }
    sync_folder(path)?;
    path.parent().map_or(Ok(()), sync_folder)
}

fn sync_folder(path: &Path) -> Result<(), StoreError> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| StoreError::Io { path: path.to_owned(), source })
}

fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{suffix}"));
    path.with_file_name(name)
}

fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    std::fs::rename(from, to).map_err(|source| StoreError::Io { path: from.to_owned(), source })?;
    to.parent().map_or(Ok(()), sync_folder)
}

fn quarantine(path: &Path) -> Result<PathBuf, StoreError> {
    let mut number = 1;
    loop {
        let aside = sibling(path, &format!("quarantined-{number}"));
        if !aside.exists() {
            rename(path, &aside)?;
            return Ok(aside);
        }
        number += 1;
    }
}
