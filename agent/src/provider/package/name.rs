//! Names of packages.

use std::fmt;

/// A package's name, with an architecture where it is not the host's own: `nginx`, `libc6:i386`.
///
/// Managers read much more into a word: patterns, versions, files, `name-` to remove. None of it passes here; what a
/// manager refuses besides, it says by [`super::PackageManager::check_name`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageName(String);

/// The text is no name of a package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not the name of a package; use {allowed}, with ':arch' where it is a foreign one")]
pub struct BadPackageName {
    text: String,
    allowed: &'static str,
}

impl BadPackageName {
    /// That of `text`, where `allowed` says what names are made of.
    pub fn new(text: &str, allowed: &'static str) -> BadPackageName {
        BadPackageName { text: text.chars().take(100).collect(), allowed }
    }
}

impl PackageName {
    /// Checks `text` by the rule of all managers together.
    ///
    /// # Errors
    /// When it is no such name.
    pub fn new(text: &str) -> Result<PackageName, BadPackageName> {
        let (name, architecture) = text.split_once(':').unwrap_or((text, "any"));
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_');
        let good = name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
            && name.bytes().all(allowed)
            && !architecture.is_empty()
            && architecture.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if good {
            Ok(PackageName(text.to_owned()))
        } else {
            Err(BadPackageName::new(text, "letters, digits, '+', '-', '.' and '_'"))
        }
    }

    /// The name with its architecture, `name:arch`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name alone.
    pub fn name(&self) -> &str {
        self.0.split_once(':').map_or(self.as_str(), |(name, _)| name)
    }

    /// The architecture, where one is named.
    pub fn architecture(&self) -> Option<&str> {
        self.0.split_once(':').map(|(_, architecture)| architecture)
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
