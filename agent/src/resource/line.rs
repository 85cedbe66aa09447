//! Single lines in files of others.

use super::edited_file::{edit_file, edited_path, observe_part, text_in};
use super::listing::{self, Listing};
use super::sealed_text::{check_read, keep_sealed_text, open_text, sealed, wanted_text};
use super::{Change, Hands, ResourceError, ResourceType, State, Value, View, Wanted, change};
use crate::host::{HostPath, Scope};
use crate::text_lines::{TextLines, Where, plain};
use crate::vault::Vault;
use muster_schema::glob;
use muster_schema::resource::{Existence, LineSpec};
use muster_schema::secret::Text;
use std::borrow::Cow;

const LINE: &str = "line";

impl ResourceType for LineSpec {
    fn wanted(&self, existence: Existence, _: Scope) -> Wanted {
        let line = match existence {
            Existence::Absent => Some(Value::Nothing),
            Existence::Present | Existence::Latest => self.line.as_ref().and_then(wanted_text),
        };
        Wanted::default().with(LINE, line)
    }

    fn observe(&self, _: &str, view: &View<'_>) -> Result<State, ResourceError> {
        let path = edited_path(self.path.as_deref())?;
        observe_part(LINE, &path, view, |text| {
            let text = TextLines::of(text);
            let found = find(self, &text)?.and_then(|at| text.lines.get(at));
            found
                .map(|line| match self.secret() {
                    Some(_) => sealed(plain(line).as_bytes(), view),
                    None => Ok(plain(line).to_owned().into()),
                })
                .transpose()
        })
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        check_read(self.secret(), LINE, wanted)?;
        Ok(change::diff_part(LINE, wanted, observed))
    }

    fn keep(&self, _: &str, change: &Change, view: &View<'_>, vault: &Vault) -> Result<State, ResourceError> {
        let mut before = change.before.clone();
        let (Some(_), State::Present(attributes)) = (self.secret(), &mut before) else { return Ok(before) };
        if attributes.get(LINE).and_then(Value::sealed).is_some() {
            let path = edited_path(self.path.as_deref())?;
            let text = text_in(&path, view)?;
            let text = TextLines::of(text.as_deref().unwrap_or_default());
            let found = find(self, &text)?.and_then(|at| text.lines.get(at));
            let kept = found.map(|line| keep_sealed_text(plain(line).as_bytes(), view, vault)).transpose()?;
            attributes.insert(Cow::Borrowed(LINE), kept.unwrap_or(Value::Nothing));
        }
        Ok(before)
    }

    fn apply(&self, _: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        let path = edited_path(self.path.as_deref())?;
        let line = change.after(LINE).map(|line| open_text(line, hands)).transpose()?.flatten();
        let line = line.as_ref().map(|line| line.as_str());
        if let (Some(line), Some(_), true) = (line, self.secret(), hands.validate) {
            check_secret_line(self, line)?;
        }
        let with_secret = self.secret().is_some();
        edit_file(&path, change.removes(), with_secret, hands, |text| set(self, text, line, hands.validate))
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

/// What is told of a plain line when it is rendered.
fn check_secret_line(spec: &LineSpec, line: &str) -> Result<(), ResourceError> {
    let blocked = |reason: &str| Err(ResourceError::Blocked(reason.to_owned()));
    if line.is_empty() || line.contains(['\n', '\r']) {
        return blocked("with its secrets in, its line is empty or has a line feed; does the secret end with one?");
    }
    if spec.matching.as_ref().is_some_and(|pattern| !glob::matches(pattern, line)) {
        return blocked(
            "its 'match' does not find its line with the secrets in, which would be put in again each time",
        );
    }
    Ok(())
}

/// The one line that is meant.
fn find(spec: &LineSpec, text: &TextLines) -> Result<Option<usize>, ResourceError> {
    let found = match (&spec.matching, &spec.line) {
        (Some(pattern), _) => text.find(|line| glob::matches(pattern, line)),
        (None, Some(Text::Plain(wanted))) => text.find(|line| line == wanted),
        (None, _) => return Err(ResourceError::Failed("needs a 'line' or a 'match'".to_owned())),
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
