//! Where in the repository something was written.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

/// A position in a file of the state repository. Line and column count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// Path of the file, relative to the root of the repository.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl Place {
    /// The place of a file as a whole: its first character.
    pub fn start_of(file: &str) -> Place {
        Place { file: Arc::from(file), line: 1, column: 1 }
    }

    /// The place `characters` further on the same line.
    pub fn right_by(&self, characters: u32) -> Place {
        Place { file: self.file.clone(), line: self.line, column: self.column.saturating_add(characters) }
    }

    /// The place of the byte `offset` of a file's `text`.
    pub fn in_text(file: Arc<str>, text: &str, offset: usize) -> Place {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Place { file, line: count(before.matches('\n').count()), column: count(before[line_start..].chars().count()) }
    }
}

/// A count of what precedes, as a position that counts from 1.
fn count(preceding: usize) -> u32 {
    u32::try_from(preceding).unwrap_or(u32::MAX).saturating_add(1)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}
