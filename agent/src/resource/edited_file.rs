//! Files of which a resource owns a part: read as text, changed by what is in them now, replaced as a whole.
//!
//! Each change reads the file anew, so that several resources in one file keep each other's parts.

use super::system_text::{forget_made, is_made, load_text, note_made, write_text};
use super::{Hands, ResourceError, State, Value, View};
use crate::host::{FileKind, HostPath, NewAttributes};
use muster_schema::Collection;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// The text of files that were read in this pass; `None` for one that is missing.
#[derive(Default)]
struct Texts(RefCell<HashMap<HostPath, Rc<Option<String>>>>);

/// The path of a specification.
pub(super) fn edited_path(path: Option<&str>) -> Result<HostPath, ResourceError> {
    HostPath::new(path.unwrap_or_default()).map_err(|error| ResourceError::Failed(error.to_string()))
}

/// The text of the file, read once in a pass.
pub(super) fn text_in(path: &HostPath, view: &View<'_>) -> Result<Rc<Option<String>>, ResourceError> {
    let texts = view.once(|_| Ok::<_, ResourceError>(Texts::default()))?;
    if let Some(text) = texts.0.borrow().get(path) {
        return Ok(text.clone());
    }
    let text = Rc::new(load_text(path, view.reader().as_mut())?);
    texts.0.borrow_mut().insert(path.clone(), text.clone());
    Ok(text)
}

/// What is observed of a part: the file may be missing, and the part may be missing in it.
pub(super) fn observe_part(
    name: &'static str,
    path: &HostPath,
    view: &View<'_>,
    find: impl FnOnce(&str) -> Result<Option<Value>, ResourceError>,
) -> Result<State, ResourceError> {
    let Some(text) = &*text_in(path, view)? else { return Ok(State::Absent) };
    Ok(State::present([(name, find(text)?.unwrap_or(Value::Nothing))]))
}

/// Changes the text of the file by what is in it now. Where the file itself is to go, it goes when nothing is left in
/// it. One that is made for a secret is for nobody but root.
pub(super) fn edit_file(
    path: &HostPath,
    file_goes: bool,
    with_secret: bool,
    hands: &Hands<'_>,
    edit: impl FnOnce(&str) -> Result<String, ResourceError>,
) -> Result<(), ResourceError> {
    let found = load_text(path, hands.host.reader().as_mut())?;
    if found.is_none() && file_goes {
        return Ok(());
    }
    let text = edit(found.as_deref().unwrap_or_default())?;
    let made = (Collection::Files, path);
    // Whichever part is the last one in a file that was made for parts, the file goes with it.
    if matches!(text.trim(), "" | "{}") && (file_goes || is_made(made, hands)?) {
        hands.host.remove(path, FileKind::File)?;
        return forget_made(made, hands);
    }
    if found.is_none() {
        note_made(made, hands)?;
    }
    if found.as_deref() == Some(text.as_str()) {
        return Ok(());
    }
    let mode = (found.is_none() && with_secret).then_some(0o600);
    write_text(path, &text, NewAttributes { mode, ..NewAttributes::default() }, hands)
}
