//! The files of the log: numbered segments that are complete, and the one that is appended to.
#![allow(clippy::disallowed_methods, reason = "lays out the audit log")]

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::{AUDIT_LOG, AuditError};
use crate::audit::{digest_lines, lines_before};

/// Where the next segment is made before it takes its place.
const NEXT: &str = "audit.log.new";

/// How many steps [`begin_segment`] has.
pub(super) const STEPS: usize = 4;

/// A segment that is complete: `audit-<number of its first line>.log`.
fn segment_name(first: u64) -> String {
    format!("audit-{first:012}.log")
}

/// The complete segments of a folder, oldest first, with the numbers of their first lines, as their names say.
pub(super) fn list_segments(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string().unwrap_or_default();
        let number = name.strip_prefix("audit-").and_then(|rest| rest.strip_suffix(".log")?.parse::<u64>().ok());
        segments.extend(number.map(|number| (number, entry.path())));
    }
    segments.sort_unstable();
    Ok(segments)
}

/// Has `audit.log`, whose first line has the number `first`, become a segment, and makes an empty one in its place; the
/// answer is that file. The first `steps` are done: all of them but in tests. After a crash between any two of them the
/// next start goes on from the lines that are there.
pub(super) fn begin_segment(folder: &Path, first: u64, steps: usize) -> io::Result<Option<File>> {
    let (log, next) = (folder.join(AUDIT_LOG), folder.join(NEXT));
    let segment = folder.join(segment_name(first));
    if segment.try_exists()? {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{} is there", segment.display())));
    }
    let mut file = None;
    for step in 0..steps {
        match step {
            // Nothing has changed its name yet where the disk has no place for a file.
            0 => file = Some(OpenOptions::new().append(true).create(true).mode(0o600).open(&next)?),
            1 => fs::rename(&log, &segment)?,
            2 => File::open(folder)?.sync_all()?,
            _ => {
                fs::rename(&next, &log)?;
                File::open(folder)?.sync_all()?;
            }
        }
    }
    Ok(file)
}

/// Removes what a start of a segment left that came to nothing.
pub(super) fn tidy(folder: &Path) -> io::Result<()> {
    match fs::remove_file(folder.join(NEXT)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The text of a log: of one file, or of a folder, whose newest segments that follow each other count. How many lines
/// come before it says [`lines_before`].
///
/// # Errors
/// When it cannot be read, or there is none.
pub fn read_log(path: &Path) -> Result<Vec<u8>, AuditError> {
    let error = |source| AuditError { path: path.to_owned(), source };
    if !path.is_dir() {
        return fs::read(path).map_err(error);
    }
    loop {
        let segments = list_segments(path).map_err(error)?;
        let text = read_segments(path, &segments).map_err(error)?;
        // A segment that began meanwhile took lines from one file to another.
        if list_segments(path).map_err(error)? == segments {
            return Ok(text);
        }
    }
}

fn read_segments(folder: &Path, segments: &[(u64, PathBuf)]) -> io::Result<Vec<u8>> {
    let mut text = match fs::read(folder.join(AUDIT_LOG)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && !segments.is_empty() => Vec::new(),
        read => read?,
    };
    let mut before = (!text.is_empty()).then(|| lines_before(&text));
    for (first, path) in segments.iter().rev() {
        let older = fs::read(path)?;
        let lines = u64::try_from(digest_lines(&older).len()).unwrap_or(u64::MAX);
        let ends = first.saturating_sub(1).saturating_add(lines);
        if before.is_some_and(|before| before != ends) {
            break;
        }
        before = Some(first.saturating_sub(1));
        text.splice(0..0, older);
    }
    Ok(text)
}
