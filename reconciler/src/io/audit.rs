//! What was decided: files that are only appended to.
//!
//! One JSON object a line; `prev` is the SHA-256 of the line before, so that a line cannot be changed or taken out
//! without all that follow it. What is cut off at the end is noticed by the checkpoints in the status branch.
//!
//! `audit.log` is appended to. When it is large or old it becomes a segment, named by the number of its first line, and
//! another begins; its first line says how many come before it.
#![allow(clippy::disallowed_methods, reason = "writes the audit log")]

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use muster_schema::{Sha256Digest, Timestamp};

use crate::audit::{AuditEntry, Checkpoint, EntryLimit, chained_line, digest_lines, lines_before, load_entries};

mod segments;
#[cfg(test)]
mod tests;

pub use segments::read_log;

use segments::{STEPS, begin_segment, list_segments, tidy};

/// The log's name in the data folder.
pub const AUDIT_LOG: &str = "audit.log";

/// When a segment ends. The line that comes then begins the next one.
#[derive(Debug, Clone, Copy)]
pub struct SegmentLimits {
    /// It has so many bytes.
    pub bytes: u64,
    /// Its first line is so old.
    pub age: Duration,
}

impl Default for SegmentLimits {
    fn default() -> Self {
        SegmentLimits { bytes: 16 * 1024 * 1024, age: Duration::from_secs(30 * 24 * 60 * 60) }
    }
}

/// The log, open to be appended to.
#[derive(Debug)]
pub struct AuditLog {
    path: PathBuf,
    folder: PathBuf,
    limits: SegmentLimits,
    end: Mutex<End>,
    limit: Mutex<EntryLimit>,
}

#[derive(Debug)]
struct End {
    file: File,
    /// Of this file.
    bytes: u64,
    /// Of the log that come before this file.
    before: u64,
    /// When its first line was written.
    begun: Option<Timestamp>,
    /// Of the whole log.
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
        AuditLog::open_with(folder, SegmentLimits::default())
    }

    /// As [`AuditLog::open`], with segments that end elsewhere.
    ///
    /// # Errors
    /// As [`AuditLog::open`].
    pub fn open_with(folder: &Path, limits: SegmentLimits) -> Result<AuditLog, AuditError> {
        let path = folder.join(AUDIT_LOG);
        let open = || -> io::Result<End> {
            std::fs::create_dir_all(folder)?;
            tidy(folder)?;
            let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&path)?;
            let mut text = Vec::new();
            file.read_to_end(&mut text)?;
            // A first line that was cut off told nobody anything, and says not how many come before it.
            if !text.contains(&b'\n') {
                file.set_len(0)?;
                text.clear();
            }
            if text.last().is_some_and(|byte| *byte != b'\n') {
                file.write_all(b"\n")?;
                text.push(b'\n');
            }
            file.sync_all()?;
            let bytes = count(text.len());
            let before = if text.is_empty() { read_end_before(folder)? } else { None };
            let (before, last) = before.unwrap_or_else(|| (lines_before(&text), Sha256Digest::of(b"")));
            let digests = digest_lines(&text);
            let (lines, last) = (before.saturating_add(count(digests.len())), digests.last().copied().unwrap_or(last));
            let begun = load_entries(&text).first().map(|entry| entry.at);
            Ok(End { file, bytes, before, begun, lines, last })
        };
        let end = open().map_err(|source| AuditError { path: path.clone(), source })?;
        Ok(AuditLog { path, folder: folder.to_owned(), limits, end: Mutex::new(end), limit: Mutex::default() })
    }

    /// The folder that it is in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes entries down, durably.
    ///
    /// # Errors
    /// When the disk refuses; then what they tell of is not to be done.
    pub fn append(&self, entries: impl IntoIterator<Item = AuditEntry>) -> Result<(), AuditError> {
        let error = |source| AuditError { path: self.path.clone(), source };
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let mut entries = entries.into_iter().peekable();
        let Some(at) = entries.peek().map(|entry| entry.at) else { return Ok(()) };
        self.turn(&mut end, at);
        let (mut text, mut lines, mut last) = (Vec::new(), end.lines, end.last);
        for entry in entries {
            let begins = end.bytes == 0 && text.is_empty() && lines > 0;
            let line = chained_line(last, begins.then_some(lines), entry).map_err(|source| error(source.into()))?;
            last = Sha256Digest::of(&line);
            lines += 1;
            text.extend(line);
            text.push(b'\n');
        }
        if let Err(source) = end.file.write_all(&text).and_then(|()| end.file.sync_data()) {
            // What was half written would be taken for a part of the next line.
            let _ = end.file.set_len(end.bytes);
            return Err(error(source));
        }
        (end.bytes, end.lines, end.last) = (end.bytes.saturating_add(count(text.len())), lines, last);
        end.begun = end.begun.or(Some(at));
        Ok(())
    }

    /// Begins another segment, where it is time. One that cannot be begun is no fault of what is to be written: it goes
    /// to the file that there is.
    fn turn(&self, end: &mut End, now: Timestamp) {
        let old = end.begun.is_some_and(|begun| now.since(begun) >= self.limits.age);
        if end.bytes == 0 || (end.bytes < self.limits.bytes && !old) {
            return;
        }
        match begin_segment(&self.folder, end.before.saturating_add(1), STEPS) {
            Ok(Some(file)) => {
                *end = End { file, bytes: 0, before: end.lines, begun: None, lines: end.lines, last: end.last };
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "no new segment of the audit log can be begun; the old one goes on"),
        }
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

/// How many lines the complete segments come to, and the digest of the last one; none where there is no segment.
fn read_end_before(folder: &Path) -> io::Result<Option<(u64, Sha256Digest)>> {
    let Some((first, path)) = list_segments(folder)?.pop() else { return Ok(None) };
    let digests = digest_lines(&std::fs::read(path)?);
    let last = digests.last().copied().unwrap_or_else(|| Sha256Digest::of(b""));
    Ok(Some((first.saturating_sub(1).saturating_add(count(digests.len())), last)))
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
