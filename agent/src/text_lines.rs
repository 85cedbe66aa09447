//! A text as lines, so that what is put in or taken out leaves every other byte as it was. Pure.

use muster_schema::glob;
use muster_schema::resource::Position;
use std::fmt;

/// The lines of a text, without their line feeds. Carriage returns stay.
pub(crate) struct TextLines {
    pub(crate) lines: Vec<String>,
    /// Whether the last line ends as the others do.
    ends: bool,
}

/// Where a new line goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Where<'a> {
    pub(crate) position: Option<Position>,
    pub(crate) after: Option<&'a str>,
    pub(crate) before: Option<&'a str>,
}

impl TextLines {
    pub(crate) fn of(text: &str) -> TextLines {
        let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
        let ends = lines.last().is_some_and(String::is_empty);
        if ends {
            lines.pop();
        }
        TextLines { lines, ends }
    }

    /// The numbers of the lines, from 0, of which `is_it` is true. It is asked without carriage returns.
    pub(crate) fn find(&self, is_it: impl Fn(&str) -> bool) -> Vec<usize> {
        let found = self.lines.iter().enumerate().filter(|(_, line)| is_it(plain(line)));
        found.map(|(at, _)| at).collect()
    }

    /// A new line as the lines of this text end.
    pub(crate) fn dress(&self, line: &str) -> String {
        let returns = self.lines.first().is_some_and(|first| first.ends_with('\r'));
        if returns { format!("{line}\r") } else { line.to_owned() }
    }

    /// Where to put a new line. `Err` says which pattern finds no line, or several.
    pub(crate) fn place(&self, at: Where<'_>) -> Result<usize, String> {
        let beside = |word: &str, pattern: &str| match self.find(|line| glob::matches(pattern, line)).as_slice() {
            [one] => Ok(*one),
            [] => Err(format!("'{word}' finds no line")),
            several => Err(format!("'{word}' finds {} lines", several.len())),
        };
        match (at.after, at.before) {
            (Some(pattern), _) => Ok(beside("after", pattern)? + 1),
            (None, Some(pattern)) => beside("before", pattern),
            (None, None) if at.position == Some(Position::Start) => Ok(0),
            (None, None) => Ok(self.lines.len()),
        }
    }
}

/// A line without the carriage return that may end it.
pub(crate) fn plain(line: &str) -> &str {
    line.strip_suffix('\r').unwrap_or(line)
}

impl fmt::Display for TextLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines.join("\n"))?;
        if self.ends && !self.lines.is_empty() { f.write_str("\n") } else { Ok(()) }
    }
}
