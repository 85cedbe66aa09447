//! JSON: only the bytes of one member change. The text has been read before, so that it is well-formed here.

use super::SettingsError;
use serde_json::{Map, Value};
use std::ops::Range;

/// A member of an object, by where it stands.
struct Member {
    name: String,
    start: usize,
    value: Range<usize>,
}

/// An object, by where it stands: the inside without its braces.
struct Object {
    inside: Range<usize>,
    members: Vec<Member>,
}

pub(super) fn edit(text: &str, key: &[String], value: Option<&Value>) -> Result<String, SettingsError> {
    let text = if text.trim().is_empty() { "{}\n" } else { text };
    let mut at = skip_space(text, 0);
    // The innermost map that holds something else than the way to the setting, or the whole.
    let mut stays: Option<(Object, usize)> = None;
    for (depth, part) in key.iter().enumerate() {
        let object = read_object(text, at)?;
        let found = object.members.iter().position(|member| member.name == *part);
        let Some((index, member)) = found.and_then(|index| Some((index, object.members.get(index)?))) else {
            return Ok(match value {
                Some(value) => insert(text, &object, part, &nested(key.get(depth + 1..).unwrap_or_default(), value)),
                None => text.to_owned(),
            });
        };
        let span = member.value.clone();
        at = span.start;
        if stays.is_none() || object.members.len() > 1 {
            stays = Some((object, index));
        }
        if depth + 1 == key.len()
            && let Some(value) = value
        {
            return Ok(splice(text, span, &indented(value, indent_at(text, at), true)));
        }
    }
    let (object, index) = stays.ok_or_else(|| SettingsError::new("needs a key"))?;
    Ok(remove(text, &object, index))
}

fn nested(rest: &[String], value: &Value) -> Value {
    rest.iter().rev().fold(value.clone(), |value, part| Value::Object(Map::from_iter([(part.clone(), value)])))
}

fn splice(text: &str, span: Range<usize>, new: &str) -> String {
    let (head, tail) = (text.get(..span.start).unwrap_or_default(), text.get(span.end..).unwrap_or_default());
    format!("{head}{new}{tail}")
}

fn insert(text: &str, object: &Object, name: &str, value: &Value) -> String {
    let name = Value::from(name).to_string();
    let outer = indent_at(text, object.inside.start);
    match (object.members.first(), object.members.last()) {
        (Some(first), Some(last)) => {
            let before = text.get(object.inside.start..first.start).unwrap_or_default();
            let lines = before.contains('\n');
            let indent = before.rsplit('\n').next().unwrap_or_default();
            let separator = if before.is_empty() { " " } else { before };
            let end = last.value.end;
            splice(text, end..end, &format!(",{separator}{name}: {}", indented(value, indent, lines)))
        }
        _ => {
            let indent = format!("{outer}{}", unit(text));
            let member = format!("\n{indent}{name}: {}\n{outer}", indented(value, &indent, true));
            splice(text, object.inside.clone(), &member)
        }
    }
}

fn remove(text: &str, object: &Object, index: usize) -> String {
    let (Some(member), next) = (object.members.get(index), object.members.get(index + 1)) else {
        return text.to_owned();
    };
    let previous = index.checked_sub(1).and_then(|index| object.members.get(index));
    let span = match (previous, next) {
        (None, None) => object.inside.clone(),
        (_, Some(next)) => member.start..next.start,
        (Some(previous), None) => previous.value.end..member.value.end,
    };
    splice(text, span, "")
}

/// The value as text; over several lines where `lines`, which then stand at `indent`.
fn indented(value: &Value, indent: &str, lines: bool) -> String {
    match value {
        Value::Array(_) | Value::Object(_) if lines => format!("{value:#}").replace('\n', &format!("\n{indent}")),
        other => other.to_string(),
    }
}

/// The white space at the beginning of the line.
fn indent_at(text: &str, at: usize) -> &str {
    let line = text.get(..at).unwrap_or_default().rsplit('\n').next().unwrap_or_default();
    line.get(..line.len() - line.trim_start().len()).unwrap_or_default()
}

/// By how much the first indented line is.
fn unit(text: &str) -> &str {
    let indents = text.lines().map(|line| line.get(..line.len() - line.trim_start().len()).unwrap_or_default());
    indents.into_iter().find(|indent| !indent.is_empty()).unwrap_or("  ")
}

fn read_object(text: &str, at: usize) -> Result<Object, SettingsError> {
    let broken = || SettingsError::new("has something else than a map on the way to the setting");
    let bytes = text.as_bytes();
    if bytes.get(at) != Some(&b'{') {
        return Err(broken());
    }
    let mut members = Vec::new();
    let mut here = skip_space(text, at + 1);
    while bytes.get(here).is_some_and(|byte| *byte != b'}') {
        let end = skip_value(text, here);
        let name = text.get(here..end).and_then(|name| serde_json::from_str(name).ok()).ok_or_else(broken)?;
        let start = skip_space(text, skip_space(text, end) + 1);
        let value = start..skip_value(text, start);
        let next = skip_space(text, value.end);
        members.push(Member { name, start: here, value });
        here = if bytes.get(next) == Some(&b',') { skip_space(text, next + 1) } else { next };
    }
    Ok(Object { inside: at + 1..here, members })
}

fn skip_space(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len()
}

/// The end of the value that begins at `at`.
fn skip_value(text: &str, at: usize) -> usize {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (offset, byte) in text.bytes().enumerate().skip(at) {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    in_string = false;
                    if depth == 0 {
                        return offset + 1;
                    }
                }
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return offset,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return offset + 1;
                }
            }
            b',' | b' ' | b'\t' | b'\n' | b'\r' if depth == 0 => return offset,
            _ => {}
        }
    }
    text.len()
}
