//! What was told to hosts and what they said, kept for `muster attest`: published heads and reports, as signed.
//!
//! In the folder `archive`, a log a day and kind, `2026-11-29.heads` and `2026-11-29.reports`, each in the form of the
//! inbox. The day is the one of writing, in UTC. Days that are too old are removed when a new one begins.
#![allow(clippy::disallowed_methods, reason = "this is the archive's folder")]

use std::collections::{BTreeSet, HashSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use muster_schema::envelope::split_frame;
use muster_schema::message::{Body, Message};
use muster_schema::{Sha256Digest, Timestamp};

use super::inbox::{Inbox, InboxError, load_inbox};

#[cfg(test)]
mod tests;

/// The folder's name in the data folder.
const FOLDER: &str = "archive";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The archive cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The folder, or a file in it.
    #[error("archive {path}", path = path.display())]
    File {
        /// The path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The log of a day.
    #[error("the archive")]
    Log(#[from] InboxError),
}

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Published heads.
    Heads,
    /// Reports of hosts.
    Reports,
}

impl Kind {
    fn ending(self) -> &'static str {
        match self {
            Kind::Heads => "heads",
            Kind::Reports => "reports",
        }
    }
}

/// The archive, open to be appended to.
#[derive(Debug)]
pub struct Archive {
    folder: PathBuf,
    keep: Duration,
    day: String,
    heads: Inbox,
    reports: Inbox,
}

impl Archive {
    /// Opens the archive below `data`, and removes days that are older than `keep`.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn open(data: &Path, keep: Duration, now: Timestamp) -> Result<Self, ArchiveError> {
        let folder = data.join(FOLDER);
        std::fs::create_dir_all(&folder).map_err(|source| ArchiveError::File { path: folder.clone(), source })?;
        prune(&folder, keep, now)?;
        let day = day_of(now);
        let log = |kind| Inbox::open(&log_path(&folder, &day, kind)).map(|(log, _)| log);
        let (heads, reports) = (log(Kind::Heads)?, log(Kind::Reports)?);
        Ok(Archive { folder, keep, day, heads, reports })
    }

    /// Keeps published heads: frames of signature and document.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn keep_heads(&mut self, frames: &[Vec<u8>], now: Timestamp) -> Result<(), ArchiveError> {
        self.turn(now)?;
        Ok(self.heads.append(frames.iter().map(Vec::as_slice))?)
    }

    /// Keeps those of these messages that are reports.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn keep_reports(&mut self, frames: &[Vec<u8>], now: Timestamp) -> Result<(), ArchiveError> {
        self.turn(now)?;
        Ok(self.reports.append(frames.iter().filter(|frame| is_report(frame)).map(Vec::as_slice))?)
    }

    /// Keeps those of these heads that were not kept in the last two days: a crash came between publishing and
    /// keeping, or there was no archive yet.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn keep_missing_heads(&mut self, frames: Vec<Vec<u8>>, now: Timestamp) -> Result<(), ArchiveError> {
        let mut kept = HashSet::new();
        for day in [day_of(Timestamp(now.0.saturating_sub(millis(DAY)))), day_of(now)] {
            let path = log_path(&self.folder, &day, Kind::Heads);
            kept.extend(load_inbox(&path)?.iter().map(|frame| Sha256Digest::of(frame)));
        }
        let missing: Vec<Vec<u8>> =
            frames.into_iter().filter(|frame| !kept.contains(&Sha256Digest::of(frame))).collect();
        if missing.is_empty() { Ok(()) } else { self.keep_heads(&missing, now) }
    }

    /// Goes to the logs of another day, where one has begun.
    fn turn(&mut self, now: Timestamp) -> Result<(), ArchiveError> {
        if self.day != day_of(now) {
            let data = self.folder.parent().unwrap_or(&self.folder);
            *self = Archive::open(data, self.keep, now)?;
        }
        Ok(())
    }
}

/// Every frame of this kind in the archive below `data` in which `text` stands, oldest day first. What names a host is
/// not yet of it.
///
/// # Errors
/// When the archive cannot be read.
pub fn load_archived(data: &Path, kind: Kind, text: &str) -> Result<Vec<Vec<u8>>, ArchiveError> {
    let folder = data.join(FOLDER);
    let mut frames = Vec::new();
    for day in days(&folder)? {
        let of_day = load_inbox(&log_path(&folder, &day, kind))?;
        let names = |frame: &Vec<u8>| frame.windows(text.len()).any(|part| part == text.as_bytes());
        frames.extend(of_day.into_iter().filter(names));
    }
    Ok(frames)
}

fn is_report(frame: &[u8]) -> bool {
    let message = split_frame(frame).ok().and_then(|(_, payload)| Message::load(payload).ok());
    message.is_some_and(|message| matches!(message.body, Body::Report(_)))
}

/// The day of a time, as in file names: they sort as days do.
fn day_of(time: Timestamp) -> String {
    time.to_string().chars().take("2026-11-29".len()).collect()
}

fn log_path(folder: &Path, day: &str, kind: Kind) -> PathBuf {
    folder.join(format!("{day}.{}", kind.ending()))
}

/// The days of which something is kept, oldest first.
fn days(folder: &Path) -> Result<BTreeSet<String>, ArchiveError> {
    let error = |source| ArchiveError::File { path: folder.to_owned(), source };
    let mut days = BTreeSet::new();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(source) if source.kind() == ErrorKind::NotFound => return Ok(days),
        Err(source) => return Err(error(source)),
    };
    for entry in entries {
        let name = entry.map_err(error)?.file_name().into_string().unwrap_or_default();
        let day =
            [Kind::Heads, Kind::Reports].iter().find_map(|kind| name.strip_suffix(kind.ending())?.strip_suffix('.'));
        days.extend(day.map(str::to_owned));
    }
    Ok(days)
}

fn prune(folder: &Path, keep: Duration, now: Timestamp) -> Result<(), ArchiveError> {
    let oldest = day_of(Timestamp(now.0.saturating_sub(millis(keep))));
    for day in days(folder)?.into_iter().filter(|day| *day < oldest) {
        for path in [Kind::Heads, Kind::Reports].map(|kind| log_path(folder, &day, kind)) {
            match std::fs::remove_file(&path) {
                Err(source) if source.kind() != ErrorKind::NotFound => return Err(ArchiveError::File { path, source }),
                _ => {}
            }
        }
    }
    Ok(())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
