//! Single lines in files of others.

use super::edited_file::{edit_file, edited_path, observe_part};
use super::listing::{self, Listing};
use super::{Change, Hands, ResourceError, ResourceType, State, Value, View, Wanted, change};
use crate::host::{HostPath, Scope};
use crate::text_lines::{TextLines, Where, plain};
use muster_schema::glob;
use muster_schema::resource::{Existence, LineSpec};

const LINE: &str = "line";

impl ResourceType for LineSpec {
    fn wanted(&self, existence: Existence, _: Scope) -> Wanted {
        let line = match existence {
            Existence::Absent => Some(Value::Nothing),
            Existence::Present | Existence::Latest => self.line.clone().map(Value::from),
        };
        Wanted::default().with(LINE, line)
    }

    fn observe(&self, _: &str, view: &View<'_>) -> Result<State, ResourceError> {
        let path = edited_path(self.path.as_deref())?;
        observe_part(LINE, &path, view, |text| {
            let text = TextLines::of(text);
            let found = find(self, &text)?.and_then(|at| text.lines.get(at));
            Ok(found.map(|line| plain(line).to_owned().into()))
        })
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        Ok(change::diff_part(LINE, wanted, observed))
    }

    fn apply(&self, _: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        let path = edited_path(self.path.as_deref())?;
        let line = change.after(LINE).and_then(Value::text);
        edit_file(&path, change.removes(), hands, |text| set(self, text, line, hands.validate))
    }

    fn in_sandbox(&self) -> bool {
        true
    }

    fn watched_paths(&self, _: &str) -> Vec<HostPath> {
        edited_path(self.path.as_deref()).into_iter().collect()
    }

    fn listing(&self) -> Listing {
        listing::PART_OF_FILE
    }
}

/// The one line that is meant.
fn find(spec: &LineSpec, text: &TextLines) -> Result<Option<usize>, ResourceError> {
    let found = match (&spec.matching, &spec.line) {
        (Some(pattern), _) => text.find(|line| glob::matches(pattern, line)),
        (None, Some(wanted)) => text.find(|line| line == wanted),
        (None, None) => return Err(ResourceError::Failed("needs a 'line' or a 'match'".to_owned())),
    };
    match found.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        several => {
            let numbers: Vec<String> = several.iter().take(5).map(|at| (at + 1).to_string()).collect();
            let reason = format!("{} lines are meant: {}", several.len(), numbers.join(", "));
            Err(ResourceError::Blocked(reason))
        }
    }
}

/// The text with `line` in the place of the one that is meant. A pattern for its place counts only where it is `new`:
/// what goes back has to find a place anyway.
fn set(spec: &LineSpec, text: &str, line: Option<&str>, new: bool) -> Result<String, ResourceError> {
    let mut text = TextLines::of(text);
    match (find(spec, &text)?, line.map(|line| text.dress(line))) {
        (None, None) => {}
        (Some(at), None) => drop(text.lines.remove(at)),
        (Some(at), Some(line)) => {
            if let Some(slot) = text.lines.get_mut(at) {
                *slot = line;
            }
        }
        (None, Some(line)) => {
            let place = Where { position: spec.position, after: spec.after.as_deref(), before: spec.before.as_deref() };
            let at = match text.place(place) {
                Err(reason) if new => return Err(ResourceError::Blocked(reason)),
                at => at.unwrap_or(text.lines.len()),
            };
            text.lines.insert(at, line);
        }
    }
    Ok(text.to_string())
}
