//! YAML of one document, with maps in block form on the way to the setting. Lines are found by how far they are
//! indented; whether that was understood rightly is told by reading the result.

use super::{SettingsError, not_well_formed};
use crate::text_lines::{TextLines, plain};
use serde_json::Value;
use std::ops::Range;

/// By how much a new map in a map is indented.
const INDENT: usize = 2;

/// An entry of a map: its lines, without blank lines and comments behind it.
struct Entry {
    lines: Range<usize>,
    /// Where its value begins in its first line.
    value: usize,
}

/// A map: its entries, and how far they are indented.
struct Block {
    entries: Vec<(String, Entry)>,
    indent: usize,
}

pub(super) fn load(text: &str) -> Result<Value, SettingsError> {
    let options = serde_saphyr::options! { strict_booleans: true };
    let loaded: Value = serde_saphyr::from_str_with_options(text, options).map_err(|error| not_well_formed(&error))?;
    // Nothing but comments.
    Ok(if loaded.is_null() { Value::Object(serde_json::Map::new()) } else { loaded })
}

pub(super) fn edit(text: &str, key: &[String], value: Option<&Value>) -> Result<String, SettingsError> {
    let mut text = TextLines::of(text);
    let mut range = 0..text.lines.len();
    // The innermost entry that may go as a whole.
    let mut goes: Option<Range<usize>> = None;
    let mut outer = 0;
    for (depth, part) in key.iter().enumerate() {
        let block = read_block(&text, range.clone(), outer, depth == 0)?;
        let rest = key.get(depth + 1..).unwrap_or_default();
        let Some((_, entry)) = block.entries.iter().find(|(name, _)| name == part) else {
            if let Some(value) = value {
                let at = block.entries.last().map_or(range.end, |(_, entry)| entry.lines.end);
                let new = written(block.indent, part, rest, value);
                let new: Vec<String> = new.iter().map(|line| text.dress(line)).collect();
                text.lines.splice(at..at, new);
            }
            return Ok(text.to_string());
        };
        if goes.is_none() || block.entries.len() > 1 {
            goes = Some(entry.lines.clone());
        }
        let first = text.lines.get(entry.lines.start).map(|line| plain(line)).unwrap_or_default();
        let (head, tail) = first.split_at(entry.value);
        if rest.is_empty() {
            let Some(value) = value else { break };
            let comment = if entry.lines.len() == 1 { comment_of(tail) } else { "" };
            let line = text.dress(&format!("{} {}{comment}", head.trim_end(), value_as(value, tail)));
            text.lines.splice(entry.lines.clone(), [line]);
            return Ok(text.to_string());
        }
        if !tail.trim().is_empty() && !tail.trim().starts_with('#') {
            return Err(SettingsError::new(format_args!("has '{part}' in a form that is not understood")));
        }
        range = entry.lines.start + 1..entry.lines.end;
        outer = block.indent + 1;
    }
    if let Some(goes) = goes {
        text.lines.drain(goes);
    }
    Ok(text.to_string())
}

/// The lines of a new entry, with the maps that it needs.
fn written(indent: usize, part: &str, rest: &[String], value: &Value) -> Vec<String> {
    let space = " ".repeat(indent);
    match rest.split_first() {
        None => vec![format!("{space}{}: {}", name_of(part), value_as(value, ""))],
        Some((next, rest)) => {
            let mut lines = vec![format!("{space}{}:", name_of(part))];
            lines.extend(written(indent + INDENT, next, rest, value));
            lines
        }
    }
}

/// A value, a text with the quotes of the one that stands there, so that what was found can come back as it was.
fn value_as(value: &Value, old: &str) -> String {
    match (value, old.trim_start().chars().next()) {
        (Value::String(text), Some('\'')) if !text.contains(|c: char| c == '\'' || c.is_control()) => {
            format!("'{text}'")
        }
        (Value::String(_), Some('"' | '\'')) => value.to_string(),
        (Value::String(text), _) => name_of(text),
        (other, _) => other.to_string(),
    }
}

/// A text without quotes, where that means the same.
fn name_of(part: &str) -> String {
    let simple = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/'));
    let word = part.starts_with(|first: char| first.is_ascii_alphabetic());
    let special = matches!(
        part.to_ascii_lowercase().as_str(),
        "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
    );
    if simple && word && !special { part.to_owned() } else { Value::from(part).to_string() }
}

fn comment_of(tail: &str) -> &str {
    let quoted = tail.trim_start().starts_with(['"', '\'']);
    let from = if quoted { tail.rfind(['"', '\'']).unwrap_or(0) } else { 0 };
    match tail.get(from..).and_then(|rest| rest.find(" #")) {
        Some(at) => tail.get(from + at..).unwrap_or_default(),
        None => "",
    }
}

fn read_block(text: &TextLines, range: Range<usize>, least: usize, top: bool) -> Result<Block, SettingsError> {
    let mut block = Block { entries: Vec::new(), indent: least.saturating_sub(1) + if top { 0 } else { INDENT } };
    for at in range {
        let line = text.lines.get(at).map(|line| plain(line)).unwrap_or_default();
        let content = line.trim_start_matches(' ');
        let indent = line.len() - content.len();
        if content.is_empty() || content.starts_with('#') || (top && at == 0 && content == "---") {
            continue;
        }
        if content.starts_with('\t') || (indent == 0 && (content.starts_with("---") || content.starts_with("..."))) {
            return Err(SettingsError::new("has tabs or several documents"));
        }
        if block.entries.is_empty() {
            if indent < least {
                return Err(SettingsError::new("is not indented as a map is"));
            }
            block.indent = indent;
        }
        let belongs = indent > block.indent || (indent == block.indent && content.starts_with("- "));
        match block.entries.last_mut() {
            Some((_, entry)) if belongs => entry.lines.end = at + 1,
            _ => {
                let (name, value) = read_key(content)?;
                block.entries.push((name, Entry { lines: at..at + 1, value: indent + value }));
            }
        }
    }
    Ok(block)
}

/// The key of a line, and where what follows its colon begins.
fn read_key(content: &str) -> Result<(String, usize), SettingsError> {
    let strange = || {
        let start: String = content.chars().take(40).collect();
        SettingsError::new(format_args!("has a line that is not understood: {start}"))
    };
    let end = match content.chars().next() {
        Some(quote @ ('"' | '\'')) => 2 + content.get(1..).and_then(|rest| rest.find(quote)).ok_or_else(strange)?,
        Some('{' | '[' | '&' | '*' | '!' | '|' | '>' | '%' | '@' | '?' | '-' | '`') | None => return Err(strange()),
        Some(_) => match content.find(": ") {
            Some(at) => at,
            None => content.strip_suffix(':').ok_or_else(strange)?.len(),
        },
    };
    let (key, rest) = content.split_at(end);
    let name = match key.as_bytes().first() {
        Some(b'"') => serde_json::from_str(key).map_err(|_| strange())?,
        Some(b'\'') => key.trim_matches('\'').to_owned(),
        _ => key.trim_end().to_owned(),
    };
    let colon = rest.find(':').filter(|at| rest.get(..*at).is_some_and(|space| space.trim().is_empty()));
    Ok((name, end + colon.ok_or_else(strange)? + 1))
}
