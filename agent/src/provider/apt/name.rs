//! Names of packages.

use std::fmt;

#[cfg(test)]
mod tests;

/// A package's name, with an architecture where it is not the host's own: `nginx`, `libc6:i386`.
///
/// apt reads much more into a word: regular expressions, patterns, `name-` to remove. None of it passes here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageName(String);

/// The text is no name of a Debian package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the name of a package; use a-z, 0-9, '+', '-' and '.', with ':arch' where it is a foreign one")]
pub struct BadPackageName(String);

impl PackageName {
    /// Checks `text`: Debian policy 5.6.1, and dpkg's architecture names.
    ///
    /// # Errors
    /// When it is no such name.
    pub fn new(text: &str) -> Result<PackageName, BadPackageName> {
        let (name, architecture) = text.split_once(':').unwrap_or((text, "any"));
        let lower_or_digit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let good = name.len() >= 2
            && name.bytes().next().is_some_and(lower_or_digit)
            && name.bytes().all(|byte| lower_or_digit(byte) || matches!(byte, b'+' | b'-' | b'.'))
            && !architecture.is_empty()
            && architecture.bytes().all(|byte| lower_or_digit(byte) || byte == b'-');
        if good { Ok(PackageName(text.to_owned())) } else { Err(BadPackageName(text.chars().take(100).collect())) }
    }

    /// The name with its architecture, as apt takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
