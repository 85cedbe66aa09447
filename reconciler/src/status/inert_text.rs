//! Text of a stranger, made harmless for terminals and pages.

/// The longest text of a host in a status file, in characters.
pub(super) const MAX_CHARACTERS: usize = 1024;

/// One line of at most `longest` characters without control characters and
/// without marks that reorder or hide the text around them. Applying it again
/// changes nothing.
pub fn inert_line(text: &str, longest: usize) -> String {
    let mut line: String = text.chars().take(longest).map(|c| if is_active(c) { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(longest).is_some() {
        line.pop();
        line.push('…');
    }
    line
}

/// The text as code in a cell of a Markdown table: nothing in it is markup, a
/// link, a mention or HTML.
pub fn markdown_code(text: &str, longest: usize) -> String {
    let line = inert_line(text, longest).replace('`', "'").replace('|', "¦");
    let line = line.trim();
    if line.is_empty() { String::new() } else { format!("`{line}`") }
}

fn is_active(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
