//! Patterns in which `*` stands for any text.

#[cfg(test)]
mod tests;

/// Whether the whole of `text` is of the form of `pattern`. Nothing but `*` is special.
pub fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let Some(last) = pattern.rfind('*').map(|at| pattern.get(at + 1..).unwrap_or_default()) else {
        return rest.is_empty();
    };
    // Each part between two stars is taken where it comes first; the last one has to end the text.
    let Some(middle) = rest.strip_suffix(last) else { return false };
    rest = middle;
    let between = pattern.matches('*').count().saturating_sub(1);
    for part in parts.take(between) {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}
