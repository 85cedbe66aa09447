//! What of a type a host has, managed or not.

use super::{ResourceError, View};
use crate::host::{FileKind, HostPath};

#[cfg(test)]
mod tests;

/// How all things of a type that the host has are found.
#[derive(Clone, Copy)]
pub enum Listing {
    /// So: by their ids, in no order. Those that are no ids for muster are left out.
    By(fn(&View<'_>) -> Result<Vec<String>, ResourceError>),
    /// Not at all, for this reason.
    Not(&'static str),
}

/// There is always this one.
pub(super) const SYSTEM: Listing = Listing::By(|_| Ok(vec!["system".to_owned()]));

/// Of files there are too many.
pub(super) const BY_PATH: Listing =
    Listing::Not("they would be all that the file system has; ask for one path, as in /v1/files/etc/motd");

/// Of parts of files nobody can tell where one ends.
pub(super) const PART_OF_FILE: Listing = Listing::Not(
    "what of a file is one thing, only the state repository says; ask without ?all=true for what is managed",
);

/// The names of the regular files in a folder; none where there is no such folder.
pub(super) fn list_files(folder: &str, view: &View<'_>) -> Result<Vec<String>, ResourceError> {
    let names = list_names(folder, view)?;
    let mut reader = view.reader();
    let mut files = Vec::with_capacity(names.len());
    for name in names {
        let Ok(path) = HostPath::new(&format!("{folder}/{name}")) else { continue };
        if reader.meta(&path)?.is_some_and(|meta| meta.kind == FileKind::File) {
            files.push(name);
        }
    }
    Ok(files)
}

/// The names in a folder; none where there is no such folder.
pub(super) fn list_names(folder: &str, view: &View<'_>) -> Result<Vec<String>, ResourceError> {
    let Ok(path) = HostPath::new(folder) else { return Ok(Vec::new()) };
    let mut reader = view.reader();
    match reader.meta(&path)? {
        Some(meta) if meta.kind == FileKind::Directory => Ok(reader.list(&path)?),
        _ => Ok(Vec::new()),
    }
}

/// A name with the bytes that stand in it as `mark` and two hexadecimal digits; `None` where that is no text.
pub(super) fn decode_name(name: &str, mark: &str) -> Option<String> {
    let mut parts = name.split(mark);
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend_from_slice(part.get(2..)?.as_bytes());
    }
    String::from_utf8(bytes).ok()
}
