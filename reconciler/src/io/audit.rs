//! Who asked for what, and whether it was allowed: a file that is only appended to.
//!
//! One JSON object a line; `prev` is the SHA-256 of the line before, so that a line cannot be changed or taken out
//! without all that follow it. What is cut off at the end is not noticed by the file alone: keep its last hash elsewhere.
#![allow(clippy::disallowed_methods, reason = "writes the audit log")]

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use muster_schema::{Sha256Digest, Timestamp};
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

const NAME: &str = "audit.log";

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It was done.
    Allow,
    /// It was not.
    Deny,
}

/// One thing that somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who: `token:NAME`, `local` for whoever asks from this machine where there are no tokens, or an address.
    pub who: String,
    /// What: method and path.
    pub action: String,
    /// Of which hosts: an id, ids, or a selector.
    pub hosts: String,
    /// What was decided.
    pub decision: Decision,
    /// Why, where that is not plain.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// A line of the log.
#[derive(Serialize, Deserialize)]
struct Line {
    prev: Sha256Digest,
    #[serde(flatten)]
    entry: AuditEntry,
}

/// The log, open to be appended to.
#[derive(Debug)]
pub struct AuditLog {
    path: PathBuf,
    end: Mutex<End>,
}

#[derive(Debug)]
struct End {
    file: File,
    last: Sha256Digest,
}

/// The log cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("audit log {path}", path = path.display())]
pub struct AuditError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl AuditLog {
    /// Opens the log in `folder`, or begins one. A last line that was cut off stays, and is part of the chain.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn open(folder: &Path) -> Result<AuditLog, AuditError> {
        let path = folder.join(NAME);
        let open = || -> io::Result<End> {
            std::fs::create_dir_all(folder)?;
            let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&path)?;
            let mut text = Vec::new();
            file.read_to_end(&mut text)?;
            if text.last().is_some_and(|byte| *byte != b'\n') {
                file.write_all(b"\n")?;
                text.push(b'\n');
            }
            file.sync_all()?;
            let lines = text.strip_suffix(b"\n").unwrap_or(&text);
            let last = lines.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
            Ok(End { file, last: Sha256Digest::of(last) })
        };
        let end = open().map_err(|source| AuditError { path: path.clone(), source })?;
        Ok(AuditLog { path, end: Mutex::new(end) })
    }

    /// Writes an entry down, durably.
    ///
    /// # Errors
    /// When the disk refuses; then what the entry tells of is not to be done.
    pub fn append(&self, entry: AuditEntry) -> Result<(), AuditError> {
        let error = |source| AuditError { path: self.path.clone(), source };
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let mut line = serde_json::to_vec(&Line { prev: end.last, entry }).map_err(|source| error(source.into()))?;
        let last = Sha256Digest::of(&line);
        line.push(b'\n');
        end.file.write_all(&line).and_then(|()| end.file.sync_data()).map_err(error)?;
        end.last = last;
        Ok(())
    }
}

/// Checks the text of a log, and gives the number of the first line that does not follow the one before.
///
/// # Errors
/// With that number, counted from 1.
pub fn check_chain(text: &[u8]) -> Result<(), usize> {
    let mut last = Sha256Digest::of(b"");
    for (number, line) in text.strip_suffix(b"\n").unwrap_or(text).split(|byte| *byte == b'\n').enumerate() {
        match serde_json::from_slice::<Line>(line) {
            Ok(read) if read.prev != last => return Err(number + 1),
            // One that was cut off by a crash says nothing, and the next one names it.
            Ok(_) | Err(_) => last = Sha256Digest::of(line),
        }
    }
    Ok(())
}
