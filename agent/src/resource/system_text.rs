//! Small text files of the system, of which each resource edits its own lines and leaves the others as they are.

use super::{Hands, ResourceError};
use crate::host::{FileKind, FileWrite, HostError, HostPath, NewAttributes, Reader};
use std::io::Cursor;

/// Such files are small. What is larger is none of them.
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
        return Err(ResourceError::Blocked(format!("{path} is larger than {MAX_BYTES} bytes")));
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
    let candidate = hands.host.prepare(FileWrite::new(path.clone(), content, new))?;
    let results: Result<Vec<()>, HostError> = hands.host.commit(vec![candidate]).into_iter().collect();
    Ok(results.map(drop)?)
}

/// Replaces the text of a file that is ours alone: without a line it goes. Its folder is made where it is missing.
///
/// # Errors
/// When the host refuses.
pub(super) fn write_own_text(path: &HostPath, text: &str, hands: &Hands<'_>) -> Result<(), ResourceError> {
    if text.is_empty() {
        return Ok(hands.host.remove(path, FileKind::File)?);
    }
    if let Some(folder) = path.parent()
        && hands.host.reader().meta(&folder)?.is_none()
    {
        hands.host.make_directory(&folder, &NewAttributes { mode: Some(0o755), ..NewAttributes::default() })?;
    }
    write_text(path, text, NewAttributes { mode: Some(0o644), ..NewAttributes::default() }, hands)
}

/// The text with a line added at its end.
pub(super) fn append_line(text: &mut String, line: &str) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(line);
    text.push('\n');
}
