//! Names of collections that a state repository declares.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::collection::Collection;
use crate::document::RESERVED_COLLECTIONS;

/// The longest name, in bytes.
pub const MAX_EXTENSION_NAME_BYTES: usize = 31;

/// First parts of paths and edges that mean something else.
const TAKEN: [&str; 5] = ["applications", "collections", "converge", "facts", "plan"];

/// The name of a collection that a state repository declares. It is kept in place, so that addresses stay cheap.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtensionName([u8; MAX_EXTENSION_NAME_BYTES]);

/// The name cannot be that of a declared collection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadExtensionName {
    /// It is of another form.
    #[error(
        "{0:?} is no name of a collection; use a-z, 0-9 and '_', at most {MAX_EXTENSION_NAME_BYTES} of them, with a letter in front"
    )]
    Form(String),
    /// It means something already.
    #[error("'{0}' means something already")]
    Taken(String),
}

impl ExtensionName {
    /// Makes a name.
    ///
    /// # Errors
    /// When it is of another form, or means something else.
    pub fn new(name: &str) -> Result<ExtensionName, BadExtensionName> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let begins = name.bytes().next().is_some_and(|first| first.is_ascii_lowercase());
        let mut bytes = [0; MAX_EXTENSION_NAME_BYTES];
        match bytes.get_mut(..name.len()) {
            Some(room) if begins && name.bytes().all(allowed) => room.copy_from_slice(name.as_bytes()),
            _ => return Err(BadExtensionName::Form(name.to_owned())),
        }
        let mut taken = Collection::names().chain(RESERVED_COLLECTIONS).chain(TAKEN);
        if taken.any(|other| other == name) {
            return Err(BadExtensionName::Taken(name.to_owned()));
        }
        Ok(ExtensionName(bytes))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        // Only ASCII was taken.
        self.0.get(..end).and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default()
    }
}

impl FromStr for ExtensionName {
    type Err = BadExtensionName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        ExtensionName::new(name)
    }
}

impl fmt::Display for ExtensionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ExtensionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExtensionName({})", self.as_str())
    }
}

impl Serialize for ExtensionName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ExtensionName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::from_text::deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests;
