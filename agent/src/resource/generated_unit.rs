//! Generated files that systemd or its generators read: root alone writes them, and one that is missing is a value.

use super::entry::{self, CONTENT, TYPE};
use super::ownership::MODE;
use super::{Change, Hands, ResourceError, State, Value, View};
use crate::host::{FileWrite, HostPath, NewAttributes};
use crate::vault::Vault;
use muster_schema::content::BlobRef;
use muster_schema::resource::ResourceSpec;
use std::borrow::Cow;
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

/// Where the two files of a thing are.
pub(super) fn paths_of<S: ResourceSpec>(id: &str) -> Result<[HostPath; 2], ResourceError> {
    let paths = S::paths_of(id);
    let path = |at: usize| entry::path_of(paths.get(at).map_or("", String::as_str));
    Ok([path(0)?, path(1)?])
}

/// The state before a change, with the contents of the files that change kept.
pub(super) fn keep_files(
    files: impl IntoIterator<Item = (&'static str, HostPath)>,
    change: &Change,
    view: &View<'_>,
    vault: &Vault,
) -> Result<State, ResourceError> {
    let mut before = change.before.clone();
    let State::Present(attributes) = &mut before else { return Ok(before) };
    for (name, path) in files {
        let changes = change.removes() || change.after(name).is_some();
        if changes && attributes.get(name).is_some_and(|value| value.content().is_some()) {
            let content = vault.keep(|to| view.reader().copy(&path, to).map_err(ResourceError::from))?;
            attributes.insert(Cow::Borrowed(name), content.into());
        }
    }
    Ok(before)
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
