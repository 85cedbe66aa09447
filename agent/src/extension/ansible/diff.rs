//! What a module would change, as text for a plan.
//!
//! Modules give `diff` as one object or a list of them: `before` and `after` are texts or objects, `before_header` says
//! what they are of, and `prepared` is a text that needs no comparing.

use serde_json::Value;
use similar::TextDiff;

/// The most that is shown, in lines and in bytes.
const LINES: usize = 60;
const BYTES: usize = 4 << 10;
/// Texts longer than this are not compared: that takes long, and nobody reads it.
const COMPARED: usize = 256 << 10;

/// The text, or `None` where there is nothing to show.
pub(super) fn show(diff: &Value) -> Option<String> {
    let parts = match diff {
        Value::Array(parts) => parts.as_slice(),
        one => std::slice::from_ref(one),
    };
    let text: String = parts.iter().filter_map(show_one).collect();
    (!text.is_empty()).then(|| bounded(&text))
}

fn show_one(part: &Value) -> Option<String> {
    let part = part.as_object()?;
    if let Some(prepared) = part.get("prepared").and_then(Value::as_str) {
        return Some(format!("{}\n", prepared.trim_end()));
    }
    let (before, after) = (part.get("before").map(to_text), part.get("after").map(to_text));
    if before == after {
        return None;
    }
    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
    let header = part.get("before_header").or(part.get("after_header")).and_then(Value::as_str);
    let header = header.map(|header| format!("{header}\n")).unwrap_or_default();
    if before.len() + after.len() > COMPARED {
        return Some(format!("{header}{} bytes become {} bytes\n", before.len(), after.len()));
    }
    let compared = TextDiff::from_lines(&before, &after);
    Some(format!("{header}{}", compared.unified_diff().context_radius(2).missing_newline_hint(false)))
}

fn to_text(side: &Value) -> String {
    let text = match side {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    };
    if text.is_empty() || text.ends_with('\n') { text } else { format!("{text}\n") }
}

fn bounded(text: &str) -> String {
    let mut shown = String::new();
    let total = text.lines().count();
    for (number, line) in text.lines().enumerate() {
        if number >= LINES || shown.len() + line.len() > BYTES {
            let left = total - number;
            return format!("{shown}… and {left} more line{}", if left == 1 { "" } else { "s" });
        }
        let plain = line.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c });
        shown.extend(plain);
        shown.push('\n');
    }
    shown.truncate(shown.trim_end().len());
    shown
}
