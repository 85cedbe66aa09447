//! What was decided: a file that is only appended to.
//!
//! One JSON object a line; `prev` is the SHA-256 of the line before, so that a line cannot be changed or taken out
//! without all that follow it. What is cut off at the end is noticed by the checkpoints in the status branch.
#![allow(clippy::disallowed_methods, reason = "writes the audit log")]

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use muster_schema::Sha256Digest;

use crate::audit::{AuditEntry, Checkpoint, EntryLimit, chained_line, digest_lines};

#[cfg(test)]
mod tests;

/// The log's name in the data folder.
pub const AUDIT_LOG: &str = "audit.log";

/// The log, open to be appended to.
#[derive(Debug)]
pub struct AuditLog {
    path: PathBuf,
    end: Mutex<End>,
    limit: Mutex<EntryLimit>,
}

#[derive(Debug)]
struct End {
    file: File,
    bytes: u64,
    lines: u64,
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
        let path = folder.join(AUDIT_LOG);
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
            let (lines, last) = end_of(&text);
            Ok(End { file, bytes: count(text.len()), lines, last })
        };
        let end = open().map_err(|source| AuditError { path: path.clone(), source })?;
        Ok(AuditLog { path, end: Mutex::new(end), limit: Mutex::default() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes entries down, durably.
    ///
    /// # Errors
    /// When the disk refuses; then what they tell of is not to be done.
    pub fn append(&self, entries: impl IntoIterator<Item = AuditEntry>) -> Result<(), AuditError> {
        let error = |source| AuditError { path: self.path.clone(), source };
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut text, mut lines, mut last) = (Vec::new(), end.lines, end.last);
        for entry in entries {
            let line = chained_line(last, entry).map_err(|source| error(source.into()))?;
            last = Sha256Digest::of(&line);
            lines += 1;
            text.extend(line);
            text.push(b'\n');
        }
        if text.is_empty() {
            return Ok(());
        }
        if let Err(source) = end.file.write_all(&text).and_then(|()| end.file.sync_data()) {
            // What was half written would be taken for a part of the next line.
            let _ = end.file.set_len(end.bytes);
            return Err(error(source));
        }
        (end.bytes, end.lines, end.last) = (end.bytes.saturating_add(count(text.len())), lines, last);
        Ok(())
    }

    /// Writes an entry down, but not each of a flood of one kind: the next one that is says how many were not.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn append_limited(&self, entry: AuditEntry, kind: &str) -> Result<(), AuditError> {
        let admitted = self.limit.lock().unwrap_or_else(PoisonError::into_inner).admit(kind, entry.at);
        let Some(unwritten) = admitted else { return Ok(()) };
        self.append([AuditEntry { unwritten, ..entry }])
    }

    /// Writes to another file from now on.
    #[cfg(test)]
    pub(crate) fn replace_file(&self, file: File) {
        self.end.lock().unwrap_or_else(PoisonError::into_inner).file = file;
    }

    /// How far the log goes; nothing where it is empty.
    pub fn checkpoint(&self) -> Option<Checkpoint> {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        (end.lines > 0).then(|| Checkpoint { file: AUDIT_LOG.to_owned(), lines: end.lines, last: end.last })
    }
}

/// The text of a log.
///
/// # Errors
/// When it cannot be read.
pub fn read_log(path: &Path) -> Result<Vec<u8>, AuditError> {
    std::fs::read(path).map_err(|source| AuditError { path: path.to_owned(), source })
}

/// How many lines there are, and the digest of the last one.
fn end_of(text: &[u8]) -> (u64, Sha256Digest) {
    let digests = digest_lines(text);
    (count(digests.len()), digests.last().copied().unwrap_or_else(|| Sha256Digest::of(b"")))
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
