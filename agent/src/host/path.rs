//! Paths on the managed host.

use std::borrow::Borrow;
use std::fmt;

/// An absolute path without `.`, `..`, empty components or NUL; the id of files, directories and links.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPath(String);

/// The text is no such path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a clean absolute path")]
pub struct BadPath(String);

impl HostPath {
    /// Checks `path`.
    ///
    /// # Errors
    /// When it is relative, not normalised, or holds a NUL.
    pub fn new(path: &str) -> Result<HostPath, BadPath> {
        path.to_owned().try_into()
    }

    /// The path as text, with its leading slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path below the root, without a leading slash; `.` for the root itself.
    pub fn relative(&self) -> &str {
        match self.0.get(1..) {
            Some(rest) if !rest.is_empty() => rest,
            _ => ".",
        }
    }

    /// The folder that it is in; none for the root.
    pub fn parent(&self) -> Option<HostPath> {
        let (parent, name) = self.0.rsplit_once('/')?;
        if name.is_empty() {
            return None;
        }
        Some(HostPath(if parent.is_empty() { "/" } else { parent }.to_owned()))
    }

    /// What stands before the last slash: the folder that it is in, empty for the root.
    pub fn folder(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// The last component; empty for the root.
    pub fn name(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(_, name)| name)
    }

    /// The path of `name` in this folder.
    ///
    /// # Errors
    /// When `name` is no plain name.
    pub fn join(&self, name: &str) -> Result<HostPath, BadPath> {
        format!("{}/{name}", self.0.trim_end_matches('/')).try_into()
    }
}

/// As [`HostPath::new`].
impl TryFrom<String> for HostPath {
    type Error = BadPath;

    fn try_from(path: String) -> Result<HostPath, BadPath> {
        let clean = path.strip_prefix('/').is_some_and(|rest| {
            rest.is_empty() || rest.split('/').all(|part| !matches!(part, "" | "." | "..") && !part.contains('\0'))
        });
        if clean { Ok(HostPath(path)) } else { Err(BadPath(path.chars().take(200).collect())) }
    }
}

/// Looked up by its text.
impl Borrow<str> for HostPath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HostPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
