//! Patterns of paths in the repository.

use std::fmt;
use std::str::FromStr;

use super::wildcard::matches_wildcards;

/// Bytes that a pattern may have.
const MAX_BYTES: usize = 1024;

/// `applications/web/**`: a path from the repository's root. `*` and `?` stand for text within one
/// name, a part that is `**` for any number of folders; at the end, for all that is below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern {
    parts: Vec<String>,
}

impl PathPattern {
    /// Whether the path of a file is of this form.
    pub fn matches(&self, path: &str) -> bool {
        let names: Vec<&str> = path.split('/').collect();
        // As with the star of a word: only the last `**` is ever tried anew.
        let (mut n, mut p) = (0, 0);
        let mut star: Option<(usize, usize)> = None;
        while n < names.len() {
            match self.parts.get(p).map(String::as_str) {
                Some("**") => {
                    star = Some((p, n));
                    p += 1;
                    // At the end it stands for one name at least.
                    if p == self.parts.len() {
                        return true;
                    }
                }
                Some(part) if matches_wildcards(names[n].as_bytes(), part.as_bytes()) => {
                    n += 1;
                    p += 1;
                }
                _ => match star {
                    Some((at, taken)) => {
                        star = Some((at, taken + 1));
                        n = taken + 1;
                        p = at + 1;
                    }
                    None => return false,
                },
            }
        }
        p == self.parts.len()
    }

    /// Whether it is `**`: every path.
    pub fn is_everything(&self) -> bool {
        self.parts.iter().all(|part| part == "**")
    }
}

/// Why a text is no pattern of paths.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPathPattern {
    /// Longer than a pattern may be.
    #[error("a path has more than {MAX_BYTES} bytes")]
    TooLong,
    /// It begins with a slash.
    #[error("'{0}' begins with a slash; paths begin at the repository's root, without one")]
    Absolute(String),
    /// It ends with a slash.
    #[error("'{0}' ends with a slash; for all that is below write '{0}**'")]
    Folder(String),
    /// A part that no path of the repository has.
    #[error("'{0}' has a part that is empty, '.' or '..'")]
    BadPart(String),
    /// Stars that mean nothing.
    #[error("'{0}' has '**' beside other text; '**' stands alone between slashes")]
    BadStars(String),
    /// Characters that other tools give a meaning.
    #[error("'{0}' has one of []{{}}!\\; only '*', '?' and '**' stand for other text")]
    Special(String),
    /// Characters that no path has.
    #[error("a path has a control character")]
    Unreadable,
}

impl FromStr for PathPattern {
    type Err = BadPathPattern;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let own = || text.to_owned();
        if text.len() > MAX_BYTES {
            return Err(BadPathPattern::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(BadPathPattern::Unreadable);
        }
        if text.starts_with('/') {
            return Err(BadPathPattern::Absolute(own()));
        }
        if text.contains(['[', ']', '{', '}', '!', '\\']) {
            return Err(BadPathPattern::Special(own()));
        }
        if text.len() > 1 && text.ends_with('/') && !text.ends_with("//") {
            return Err(BadPathPattern::Folder(own()));
        }
        let mut parts: Vec<String> = Vec::new();
        for part in text.split('/') {
            match part {
                "" | "." | ".." => return Err(BadPathPattern::BadPart(own())),
                // Two in a row mean what one does.
                "**" if parts.last().is_some_and(|last| last == "**") => {}
                "**" => parts.push(part.to_owned()),
                _ if part.contains("**") => return Err(BadPathPattern::BadStars(own())),
                _ => parts.push(part.to_owned()),
            }
        }
        Ok(PathPattern { parts })
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parts.join("/"))
    }
}
