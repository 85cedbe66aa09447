//! Text of strangers, for display.

/// Bytes of a stranger as text that no terminal and no page interprets.
pub(super) fn display_text(bytes: &[u8]) -> String {
    const MOST: usize = 200;
    let mut text: String = String::from_utf8_lossy(&bytes[..bytes.len().min(MOST)])
        .chars()
        .flat_map(
            |c| if c.is_control() || is_direction_mark(c) { c.escape_unicode().collect::<Vec<_>>() } else { vec![c] },
        )
        .collect();
    if bytes.len() > MOST {
        text.push('…');
    }
    text
}

/// Marks that reorder the text around them.
fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
