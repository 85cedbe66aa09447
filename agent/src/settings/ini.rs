//! `[section]` and `key = value`, with comments of lines that begin with `#` or `;`.

use super::SettingsError;
use crate::text_lines::{TextLines, plain};
use serde_json::{Map, Value};

/// A line as an ini file has it.
enum Line<'t> {
    Section(&'t str),
    /// A key, and where its value begins; a key alone has no value.
    Key(&'t str, Option<usize>),
    Other,
}

fn read(line: &str) -> Line<'_> {
    let line = plain(line);
    let trimmed = line.trim();
    if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
        return Line::Other;
    }
    if let Some(section) = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return Line::Section(section.trim());
    }
    match line.find('=') {
        Some(at) => Line::Key(line.get(..at).unwrap_or_default().trim(), Some(at + 1)),
        None => Line::Key(trimmed, None),
    }
}

/// Sections are maps; keys before the first one are beside them. A key that stands twice is a list.
pub(super) fn load(text: &str) -> Result<Value, SettingsError> {
    let mut all = Map::new();
    let mut section: Option<String> = None;
    for line in text.lines() {
        let (key, value) = match read(line) {
            Line::Other => continue,
            Line::Section(name) => {
                section = Some(name.to_owned());
                continue;
            }
            Line::Key(key, Some(at)) => (key, Value::from(plain(line).get(at..).unwrap_or_default().trim())),
            Line::Key(key, None) => (key, Value::Null),
        };
        let map = match &section {
            None => &mut all,
            Some(name) => match all.entry(name.clone()).or_insert_with(|| Value::Object(Map::new())) {
                Value::Object(map) => map,
                _ => return Err(SettingsError::new(format_args!("has '{name}' as a key and as a section"))),
            },
        };
        match map.get_mut(key) {
            None => drop(map.insert(key.to_owned(), value)),
            Some(Value::Array(values)) => values.push(value),
            Some(Value::Object(_)) => {
                return Err(SettingsError::new(format_args!("has '{key}' as a key and as a section")));
            }
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    Ok(Value::Object(all))
}

pub(super) fn edit(text: &str, key: &[String], value: Option<&Value>) -> Result<String, SettingsError> {
    let (section, key) = match key {
        [key] => (None, key.as_str()),
        [section, key] => (Some(section.as_str()), key.as_str()),
        _ => return Err(SettingsError::new("has only sections and keys")),
    };
    let mut text = TextLines::of(text);
    let mut current = None;
    let (mut found, mut last_of_section, mut header) = (Vec::new(), None, None);
    let mut others = 0;
    for (at, line) in text.lines.iter().enumerate() {
        match read(line) {
            Line::Section(name) => {
                current = Some(name);
                if current == section {
                    header = header.or(Some(at));
                    last_of_section = Some(at);
                }
            }
            Line::Key(name, _) if current == section => {
                last_of_section = Some(at);
                if name == key { found.push(at) } else { others += 1 }
            }
            Line::Key(..) => {}
            // A comment in the section is a reason to keep it.
            Line::Other if current == section && !line.trim().is_empty() => others += 1,
            Line::Other => {}
        }
    }
    if found.len() > 1 {
        return Err(SettingsError::new(format_args!("has '{key}' more than once")));
    }
    match (found.first().copied(), value.map(written)) {
        (None, None) => {}
        (Some(at), None) => {
            text.lines.remove(at);
            if let (0, Some(header)) = (others, header) {
                text.lines.remove(header);
                if header.checked_sub(1).and_then(|at| text.lines.get(at)).is_some_and(|line| line.trim().is_empty()) {
                    text.lines.remove(header - 1);
                }
            }
        }
        (Some(at), Some(value)) => {
            let old = text.lines.get(at).map(String::as_str).unwrap_or_default();
            let new = match read(old) {
                Line::Key(_, Some(start)) => {
                    let (head, tail) = plain(old).split_at(start);
                    let space = tail.get(..tail.len() - tail.trim_start().len()).unwrap_or_default();
                    format!("{head}{space}{value}")
                }
                _ => format!("{} = {value}", plain(old)),
            };
            let new = text.dress(&new);
            if let Some(slot) = text.lines.get_mut(at) {
                *slot = new;
            }
        }
        (None, Some(value)) => {
            let line = text.dress(&format!("{key}{}{value}", delimiter(&text)));
            match (section, last_of_section) {
                (_, Some(at)) => text.lines.insert(at + 1, line),
                (None, None) => text.lines.insert(0, line),
                (Some(section), None) => {
                    if !text.lines.is_empty() {
                        text.lines.push(text.dress(""));
                    }
                    text.lines.push(text.dress(&format!("[{section}]")));
                    text.lines.push(line);
                }
            }
        }
    }
    Ok(text.to_string())
}

/// As the first key of the file has it.
fn delimiter(text: &TextLines) -> &'static str {
    let first = text.lines.iter().find(|line| matches!(read(line), Line::Key(_, Some(_))));
    if first.is_some_and(|line| !line.contains(" =")) { "=" } else { " = " }
}

fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
