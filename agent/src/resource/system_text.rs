//! Small text files of the system, of which each resource edits its own lines and leaves the others as they are.

use super::{Hands, ResourceError};
use crate::host::{FileKind, FileWrite, HostError, HostPath, NewAttributes, Notes, Reader};
use muster_schema::{Address, Collection};
use serde::{Deserialize, Serialize};
use std::io::{self, Cursor};

/// Says of a file or folder that it was made for what stands in it, so that it can go with that.
#[derive(Serialize, Deserialize)]
struct Note {
    made: bool,
}

/// Larger files are no configuration that people edit by hand.
const MAX_BYTES: u64 = 4 << 20;

/// A path that the program itself gives.
pub(super) fn system_path(path: &str) -> Result<HostPath, ResourceError> {
    HostPath::new(path).map_err(|error| ResourceError::Failed(error.to_string()))
}

/// The text of a regular file; `None` where nothing stands.
///
/// # Errors
/// `Blocked` when something else than a regular file with UTF-8 text stands there.
pub(super) fn load_text(path: &HostPath, reader: &mut dyn Reader) -> Result<Option<String>, ResourceError> {
    let Some(meta) = reader.meta(path)? else { return Ok(None) };
    if meta.kind != FileKind::File {
        return Err(ResourceError::Blocked(format!("{path} is a {}, not a file", meta.kind)));
    }
    if meta.size > MAX_BYTES {
        return Err(ResourceError::Blocked(format!("{path} has more than {} MiB", MAX_BYTES >> 20)));
    }
    let mut bytes = Vec::new();
    reader.copy(path, &mut bytes)?;
    let text = String::from_utf8(bytes).map_err(|_| ResourceError::Blocked(format!("{path} is not UTF-8 text")))?;
    Ok(Some(text))
}

/// Replaces the text of a file, durably. A file in place keeps what `new` does not give.
///
/// # Errors
/// When the host refuses.
pub(super) fn write_text(
    path: &HostPath,
    text: &str,
    new: NewAttributes,
    hands: &Hands<'_>,
) -> Result<(), ResourceError> {
    let content = Box::new(Cursor::new(text.as_bytes()));
    Ok(hands.host.write(FileWrite::new(path.clone(), content, new))?)
}

/// Replaces the text of a file that has lines of others too; `found` is what it has. A file that was missing goes again
/// when nothing is left in it.
///
/// # Errors
/// When the host refuses.
pub(super) fn write_shared_text(
    path: &HostPath,
    found: Option<&str>,
    text: &str,
    hands: &Hands<'_>,
) -> Result<(), ResourceError> {
    let at = (Collection::Files, path);
    match found {
        None if text.is_empty() => return Ok(()),
        None => note_made(at, hands)?,
        Some(_) if text.is_empty() && is_made(at, hands)? => {
            hands.host.remove(path, FileKind::File)?;
            return forget_made(at, hands);
        }
        Some(_) => {}
    }
    write_text(path, text, NewAttributes::default(), hands)
}

/// Replaces the text of a file that is ours alone: without a line it goes. Its folder is made where it is missing, and
/// goes with the last file in it.
///
/// # Errors
/// When the host refuses.
pub(super) fn write_own_text(path: &HostPath, text: &str, hands: &Hands<'_>) -> Result<(), ResourceError> {
    let folder = path.parent();
    if text.is_empty() {
        hands.host.remove(path, FileKind::File)?;
        return folder.map_or(Ok(()), |folder| remove_made_folder(&folder, hands));
    }
    if let Some(folder) = folder {
        make_folder(&folder, hands)?;
    }
    write_text(path, text, NewAttributes { mode: Some(0o644), ..NewAttributes::default() }, hands)
}

/// Makes a folder, and those above it, where they are missing.
pub(super) fn make_folder(folder: &HostPath, hands: &Hands<'_>) -> Result<(), ResourceError> {
    if hands.host.reader().meta(folder)?.is_some() {
        return Ok(());
    }
    if let Some(above) = folder.parent() {
        make_folder(&above, hands)?;
    }
    note_made((Collection::Directories, folder), hands)?;
    Ok(hands.host.make_directory(folder, &NewAttributes { mode: Some(0o755), ..NewAttributes::default() })?)
}

/// Removes a folder that was made for what stood in it, and those above it, unless there is something else in it.
pub(super) fn remove_made_folder(folder: &HostPath, hands: &Hands<'_>) -> Result<(), ResourceError> {
    let at = (Collection::Directories, folder);
    if !is_made(at, hands)? {
        return Ok(());
    }
    match hands.host.remove(folder, FileKind::Directory) {
        // Somebody keeps other things there by now.
        Err(HostError::NotEmpty(_)) => return Ok(()),
        other => other?,
    }
    forget_made(at, hands)?;
    folder.parent().map_or(Ok(()), |above| remove_made_folder(&above, hands))
}

pub(super) fn note_made(at: (Collection, &HostPath), hands: &Hands<'_>) -> Result<(), ResourceError> {
    with_note(at, hands, |notes, address| notes.save(address, &Note { made: true })).map(drop)
}

pub(super) fn is_made(at: (Collection, &HostPath), hands: &Hands<'_>) -> Result<bool, ResourceError> {
    let note = with_note(at, hands, Notes::load::<Note>)?.flatten();
    Ok(note.is_some_and(|note| note.made))
}

pub(super) fn forget_made(at: (Collection, &HostPath), hands: &Hands<'_>) -> Result<(), ResourceError> {
    with_note(at, hands, Notes::forget).map(drop)
}

/// Does something with the note about a file or folder; `None` where the host keeps no notes.
fn with_note<T>(
    (collection, path): (Collection, &HostPath),
    hands: &Hands<'_>,
    act: impl FnOnce(&Notes, &Address) -> io::Result<T>,
) -> Result<Option<T>, ResourceError> {
    let address = Address::new(collection, path.as_str());
    let address = address.map_err(|error| ResourceError::Failed(error.to_string()))?;
    let done = hands.host.notes().map(|notes| act(notes, &address)).transpose();
    done.map_err(|error| ResourceError::Failed(format!("the note about {path}: {error}")))
}

/// The text with a line added at its end.
pub(super) fn append_line(text: &mut String, line: &str) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(line);
    text.push('\n');
}
