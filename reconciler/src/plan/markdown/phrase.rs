//! A line of words of ours and text of strangers.

use crate::status::inert_line;

/// A line whose parts are ours, as they are, or a stranger's, as code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Phrase {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Own(String),
    Code(String),
}

impl Phrase {
    /// Words of ours, Markdown that reads the same in HTML but for `**`.
    pub(super) fn own(mut self, text: &str) -> Phrase {
        self.parts.push(Part::Own(text.to_owned()));
        self
    }

    /// Text of a stranger, of at most `longest` characters.
    pub(super) fn code(mut self, text: &str, longest: usize) -> Phrase {
        self.parts.push(Part::Code(inert_line(text, longest)));
        self
    }

    /// For a paragraph.
    pub(super) fn to_markdown(&self) -> String {
        let parts = self.parts.iter().map(|part| match part {
            Part::Own(text) => text.clone(),
            Part::Code(text) => code_span(text),
        });
        parts.collect()
    }

    /// For a line of HTML, in which Markdown is not read.
    pub(super) fn to_html(&self) -> String {
        let parts = self.parts.iter().map(|part| match part {
            // Bold stands at the beginning alone.
            Part::Own(text) => text.replacen("**", "<b>", 1).replacen("**", "</b>", 1),
            Part::Code(text) => format!("<code>{}</code>", html(text)),
        });
        parts.collect()
    }
}

/// A code span with more backticks round it than it has in a row.
fn code_span(text: &str) -> String {
    if text.trim().is_empty() {
        // A span of spaces is none.
        return "(blank)".to_owned();
    }
    let delimiter = "`".repeat(longest_run(text) + 1);
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{delimiter}{pad}{text}{pad}{delimiter}")
}

/// How many backticks follow one another at most.
pub(super) fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '@' => escaped.push_str("&#64;"),
            _ => escaped.push(c),
        }
    }
    escaped
}
