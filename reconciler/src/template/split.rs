//! Splits a string into text and `{{ }}` expressions, so that each is compiled alone.

pub(super) enum Part<'a> {
    Text(&'a str),
    Expression {
        code: &'a str,
        /// Where the code starts in the source, in bytes.
        offset: usize,
    },
}

/// The parts of a string; none where it needs the whole engine: statements,
/// comments, white space control, or an expression without an end.
pub(super) fn split(source: &str) -> Option<Vec<Part<'_>>> {
    if source.contains("{%") || source.contains("{#") {
        return None;
    }
    let mut parts = Vec::new();
    let mut position = 0;
    while let Some(found) = source.get(position..)?.find("{{") {
        let start = position + found;
        if start > position {
            parts.push(Part::Text(source.get(position..start)?));
        }
        let offset = start + 2;
        let end = offset + code_length(source.get(offset..)?)?;
        let code = source.get(offset..end)?;
        if code.starts_with(['-', '+']) || code.ends_with(['-', '+']) {
            return None;
        }
        let indent = code.len() - code.trim_start().len();
        parts.push(Part::Expression { code: code.trim(), offset: offset + indent });
        position = end + 2;
    }
    let rest = source.get(position..)?;
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    Some(parts)
}

/// Bytes up to the `}}` that ends an expression: not within quotes or brackets.
fn code_length(code: &str) -> Option<usize> {
    let bytes = code.as_bytes();
    let mut open_brackets = 0_usize;
    let mut quote = None;
    let mut index = 0;
    while let Some(&byte) = bytes.get(index) {
        match (quote, byte) {
            (Some(_), b'\\') => index += 1,
            (Some(opened), _) if byte == opened => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'}') if open_brackets == 0 && bytes.get(index + 1) == Some(&b'}') => return Some(index),
            (None, b'(' | b'[' | b'{') => open_brackets += 1,
            (None, b')' | b']' | b'}') => open_brackets = open_brackets.saturating_sub(1),
            _ => {}
        }
        index += 1;
    }
    None
}
