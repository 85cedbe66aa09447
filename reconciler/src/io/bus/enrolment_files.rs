//! The folder that the enrolment desk keeps its records in: one small file each.
#![allow(clippy::disallowed_methods, reason = "this is where the records are kept")]

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use muster_schema::PublicKey;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A record cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum EnrolmentFileError {
    /// A file cannot be read or written.
    #[error("enrolment record {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A record cannot be written as JSON.
    #[error("enrolment record {path} cannot be written")]
    Json {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

/// A folder of records of one kind, by key.
#[derive(Debug)]
pub(super) struct RecordFolder {
    path: PathBuf,
}

impl RecordFolder {
    /// Opens the folder, or makes it, and reads what is in it. A record that
    /// cannot be read is skipped and named in the log: the agent comes again.
    pub(super) fn open<T: DeserializeOwned>(path: PathBuf) -> Result<(Self, Vec<T>), EnrolmentFileError> {
        let error = |source| EnrolmentFileError::File { path: path.clone(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(error)?;
        let mut records = Vec::new();
        for entry in fs::read_dir(&path).map_err(error)? {
            let file = entry.map_err(error)?.path();
            if file.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let bytes = fs::read(&file).map_err(|source| EnrolmentFileError::File { path: file.clone(), source })?;
            match serde_json::from_slice(&bytes) {
                Ok(record) => records.push(record),
                Err(error) => tracing::warn!(file = %file.display(), %error, "an enrolment record is damaged"),
            }
        }
        Ok((RecordFolder { path }, records))
    }

    /// Keeps a record, durably.
    pub(super) fn write(&self, key: &PublicKey, record: &impl Serialize) -> Result<(), EnrolmentFileError> {
        let path = self.file(key);
        let bytes = serde_json::to_vec_pretty(record);
        let bytes = bytes.map_err(|source| EnrolmentFileError::Json { path: path.clone(), source })?;
        write_durably(&path, &bytes).map_err(|source| EnrolmentFileError::File { path, source })
    }

    /// Drops a record, if it is there.
    pub(super) fn remove(&self, key: &PublicKey) -> Result<(), EnrolmentFileError> {
        let path = self.file(key);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(EnrolmentFileError::File { path, source }),
            _ => Ok(()),
        }
    }

    fn file(&self, key: &PublicKey) -> PathBuf {
        self.path.join(format!("{}.json", key.fingerprint()))
    }
}

fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
