//! Generated files that systemd or its generators read: root alone writes them, and one that is missing is a value.

use super::entry::{self, CONTENT, TYPE};
use super::ownership::MODE;
use super::{Hands, ResourceError, Value, View};
use crate::host::{FileWrite, HostPath, NewAttributes};
use muster_schema::content::BlobRef;
use std::io::{Cursor, Read};

/// The value where the file is not there.
pub(super) const MISSING: &str = "missing";

/// The first line of each.
pub(super) const HEAD: &str = "# Managed by muster: changes here are taken back.\n";

/// The content of the file, or [`MISSING`].
pub(super) fn observe_file(path: &HostPath, view: &View<'_>) -> Result<Value, ResourceError> {
    let state = entry::observe_entry(path.as_str(), true, None, None, view)?;
    if state.get(TYPE).is_some() {
        return Err(ResourceError::Blocked(format!("{path} is no regular file")));
    }
    // One that others may write to is none of ours.
    let private =
        state.get(MODE).and_then(Value::text).is_some_and(|mode| mode.ends_with("44") || mode.ends_with("00"));
    match state.get(CONTENT) {
        Some(content) if private => Ok(content.clone()),
        Some(_) => Err(ResourceError::Blocked(format!("{path} is not for root alone to write"))),
        None => Ok(MISSING.into()),
    }
}

/// Writes the file: `text`, where `content` is that, else what was kept.
pub(super) fn write_file(
    path: HostPath,
    content: &BlobRef,
    text: &str,
    hands: &Hands<'_>,
) -> Result<(), ResourceError> {
    let content: Box<dyn Read> = if *content == BlobRef::of(text.as_bytes()) {
        Box::new(Cursor::new(text.as_bytes().to_vec()))
    } else {
        hands.contents.open(content)?
    };
    let new = NewAttributes { mode: Some(0o644), uid: Some(0), gid: Some(0) };
    Ok(hands.host.write(FileWrite::new(path, content, new))?)
}

/// As systemd takes it for what it is: neither quote, escape nor specifier.
pub(super) fn quote(part: &str) -> String {
    format!("\"{}\"", part.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%"))
}

/// The same in a command line, where systemd puts variables in.
pub(super) fn quote_argument(part: &str) -> String {
    quote(&part.replace('$', "$$"))
}
