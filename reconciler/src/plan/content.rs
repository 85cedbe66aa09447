//! The difference of two contents.

use std::sync::Arc;

use serde::Serialize;
use similar::{ChangeTag, TextDiff};

/// Larger contents are told by their size.
const MAX_DIFF_BYTES: usize = 64 * 1024;
/// Lines of a difference that are kept.
const MAX_DIFF_LINES: usize = 200;

/// A change of a content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContentChange {
    /// The attribute: `content`, `script`, `stdin`, `undo.script`.
    pub slot: String,
    /// Lines that come.
    pub plus: usize,
    /// Lines that go.
    pub minus: usize,
    /// The difference in unified form; without it the content is not text, or large.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
    /// Bytes before.
    pub bytes_before: usize,
    /// Bytes after.
    pub bytes_after: usize,
}

impl ContentChange {
    /// Leaves just the lines that come and go.
    pub(super) fn drop_surroundings(&mut self) {
        if let Some(diff) = &mut self.diff {
            let lines = diff.lines().filter(|line| line.starts_with(['+', '-', '…']));
            *diff = lines.collect::<Vec<_>>().join("\n");
            self.bytes_before = 0;
            self.bytes_after = 0;
        }
    }
}

/// The change from one content to another; none where they are the same.
pub(super) fn content_change(
    slot: &str,
    before: Option<&Arc<[u8]>>,
    after: Option<&Arc<[u8]>>,
) -> Option<ContentChange> {
    if before == after {
        return None;
    }
    let bytes = |content: Option<&Arc<[u8]>>| content.map_or(0, |content| content.len());
    let mut change = ContentChange {
        slot: slot.to_owned(),
        plus: 0,
        minus: 0,
        diff: None,
        bytes_before: bytes(before),
        bytes_after: bytes(after),
    };
    if let (Some(before), Some(after)) = (text(before), text(after)) {
        let diff = TextDiff::from_lines(before, after);
        for line in diff.iter_all_changes() {
            match line.tag() {
                ChangeTag::Insert => change.plus += 1,
                ChangeTag::Delete => change.minus += 1,
                ChangeTag::Equal => {}
            }
        }
        change.diff = Some(cut(&diff.unified_diff().context_radius(2).to_string()));
    }
    Some(change)
}

/// The content as text, if it is short text; what is not there is empty.
fn text(content: Option<&Arc<[u8]>>) -> Option<&str> {
    match content {
        None => Some(""),
        Some(content) if content.len() > MAX_DIFF_BYTES => None,
        Some(content) => std::str::from_utf8(content).ok(),
    }
}

fn cut(diff: &str) -> String {
    let lines = diff.lines().count();
    if lines <= MAX_DIFF_LINES {
        return diff.to_owned();
    }
    let kept: Vec<&str> = diff.lines().take(MAX_DIFF_LINES).collect();
    format!("{}\n… {} more lines\n", kept.join("\n"), lines - MAX_DIFF_LINES)
}
