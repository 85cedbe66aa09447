//! Blocks of lines in files of others.

use super::edited_file::{edit_file, edited_path, observe_part, text_in};
use super::listing::{self, Listing};
use super::sealed_text::{check_read, keep_sealed_text, open_text, sealed, wanted_content};
use super::{Change, Hands, ResourceError, ResourceType, Sealed, State, Value, View, Wanted, change};
use crate::host::{HostPath, Scope};
use crate::text_lines::{TextLines, Where};
use crate::vault::Vault;
use muster_schema::content::BlobRef;
use muster_schema::resource::{BlockSpec, Existence};
use muster_schema::secret::Content;
use std::borrow::Cow;
use std::ops::Range;
use zeroize::Zeroizing;

const CONTENT: &str = "content";

impl ResourceType for Box<BlockSpec> {
    fn wanted(&self, existence: Existence, _: Scope) -> Wanted {
        let content = match existence {
            Existence::Absent => Some(Value::Nothing),
            Existence::Present | Existence::Latest => self.content.as_ref().and_then(wanted_content),
        };
        Wanted::default().with(CONTENT, content)
    }

    fn observe(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError> {
        let path = edited_path(self.path.as_deref())?;
        observe_part(CONTENT, &path, view, |text| {
            let found = content_in(self, id, text, view)?;
            found
                .map(|content| match self.secret() {
                    Some(_) => sealed(content.as_bytes(), view),
                    None => Ok(BlobRef::of(content.as_bytes()).into()),
                })
                .transpose()
        })
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        check_read(self.secret(), CONTENT, wanted)?;
        Ok(change::diff_part(CONTENT, wanted, observed))
    }

    fn keep(&self, id: &str, change: &Change, view: &View<'_>, vault: &Vault) -> Result<State, ResourceError> {
        let mut before = change.before.clone();
        let State::Present(attributes) = &mut before else { return Ok(before) };
        let path = edited_path(self.path.as_deref())?;
        let text = text_in(&path, view)?;
        let found = text.as_deref().map(|text| content_in(self, id, text, view)).transpose()?.flatten();
        if let Some(content) = found.filter(|_| attributes.contains_key(CONTENT)) {
            let kept = match self.secret() {
                Some(_) => keep_sealed_text(content.as_bytes(), view, vault)?,
                None => vault.keep_bytes(content.as_bytes())?.into(),
            };
            attributes.insert(Cow::Borrowed(CONTENT), kept);
        }
        Ok(before)
    }

    fn apply(&self, id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        let path = edited_path(self.path.as_deref())?;
        let content = match change.after(CONTENT) {
            Some(sealed @ Value::Sealed(_)) => open_text(sealed, hands)?,
            Some(Value::Content(content)) => Some(Zeroizing::new(load(content, hands)?)),
            _ => None,
        };
        let content = content.as_ref().map(|content| content.as_str());
        let with_secret = self.secret().is_some();
        edit_file(&path, change.removes(), with_secret, hands, |text| set(self, id, text, content, hands.validate))
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

fn load(content: &BlobRef, hands: &Hands<'_>) -> Result<String, ResourceError> {
    let mut text = String::new();
    let read = hands.contents.open(content)?.read_to_string(&mut text);
    read.map_err(|_| ResourceError::Blocked("its content is no text in UTF-8".to_owned()))?;
    Ok(text)
}

/// The lines of the block, with its markers.
fn find(spec: &BlockSpec, id: &str, text: &TextLines) -> Result<Option<Range<usize>>, ResourceError> {
    let [begins, ends] = spec.markers(id).map(|marker| text.find(|line| line == marker));
    let blocked = |reason: &str| Err(ResourceError::Blocked(reason.to_owned()));
    match (begins.as_slice(), ends.as_slice()) {
        ([], []) => Ok(None),
        ([begin], [end]) if begin < end => Ok(Some(*begin..end + 1)),
        ([_], [_]) => blocked("its end marker stands before the one at its beginning"),
        ([], _) | (_, []) => blocked("one of its markers stands without the other"),
        _ => blocked("one of its markers stands more than once"),
    }
}

/// What stands between the markers, in the form in which the specification has it: with or without a line feed at the
/// end, which a block in a file always has.
fn content_in(spec: &BlockSpec, id: &str, text: &str, view: &View<'_>) -> Result<Option<String>, ResourceError> {
    let text = TextLines::of(text);
    let Some(block) = find(spec, id, &text)? else { return Ok(None) };
    let inner = text.lines.get(block.start + 1..block.end - 1).unwrap_or_default().join("\n");
    let without_end = match &spec.content {
        Some(Content::Blob(content)) => *content == BlobRef::of(inner.as_bytes()),
        Some(Content::Secret(content)) => match content.filled {
            Some(filled) => sealed(inner.as_bytes(), view)? == Sealed::new(filled).into(),
            None => false,
        },
        None => false,
    };
    if inner.is_empty() && block.len() == 2 || without_end {
        return Ok(Some(inner));
    }
    Ok(Some(format!("{inner}\n")))
}

fn set(spec: &BlockSpec, id: &str, text: &str, content: Option<&str>, new: bool) -> Result<String, ResourceError> {
    let mut text = TextLines::of(text);
    let markers = spec.markers(id);
    let lines = match content {
        None => Vec::new(),
        Some(content) => {
            let inner = TextLines::of(content).lines;
            let inner = if content.is_empty() { Vec::new() } else { inner };
            if markers.iter().any(|marker| inner.contains(marker)) {
                return Err(ResourceError::Blocked("its content holds one of its own markers".to_owned()));
            }
            let [begin, end] = markers.map(|marker| text.dress(&marker));
            [vec![begin], inner, vec![end]].concat()
        }
    };
    let place = match find(spec, id, &text)? {
        Some(block) => block,
        None => {
            let place = Where { position: spec.position, after: spec.after.as_deref(), before: spec.before.as_deref() };
            let at = match text.place(place) {
                Err(reason) if new => return Err(ResourceError::Blocked(reason)),
                at => at.unwrap_or(text.lines.len()),
            };
            at..at
        }
    };
    text.lines.splice(place, lines);
    Ok(text.to_string())
}
