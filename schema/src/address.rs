//! Addresses: collection and id, the same in YAML, JSON, REST and reports.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use id::IdForm;

use crate::collection::{Collection, UnknownCollection};

mod id;
#[cfg(test)]
mod tests;

/// The longest id, in bytes: the longest path that Linux takes.
pub const MAX_ID_BYTES: usize = 4095;
/// The longest part of a path, in bytes: of a file's name on Linux.
const MAX_NAME_BYTES: usize = 255;
/// How the slash of a name is written in an address, where it would read as that of a path.
const ENCODED_SLASH: &str = "%2F";

/// Names one resource of a host: `packages/nginx`, `files/etc/motd`.
///
/// The id of a path collection is an absolute, normalised path; its leading
/// slash is the slash of the address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    collection: Collection,
    /// Shared: an agent knows each of its resources by its address in half a dozen places.
    id: Arc<str>,
}

/// Why an address is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// There is no slash between collection and id.
    #[error("'{0}' is not an address; write collection/id, as in packages/nginx")]
    NoCollection(String),
    /// The part before the first slash is of no known collection.
    #[error(transparent)]
    UnknownCollection(#[from] UnknownCollection),
    /// The id is empty, too long or has control characters.
    #[error("{collection}: the id {id:?} is empty, longer than {MAX_ID_BYTES} bytes, or has control characters")]
    BadId {
        /// The collection of the address.
        collection: Collection,
        /// The id as given.
        id: String,
    },
    /// The id of a path collection is no absolute, normalised path.
    #[error(
        "{collection}: '{id}' is not a clean absolute path; it must start with '/', and have no '//', '.', '..' or '/' at the end"
    )]
    BadPath {
        /// The collection of the address.
        collection: Collection,
        /// The id as given.
        id: String,
    },
    /// A part of the path is longer than any file system takes.
    #[error("{collection}: a part of '{id}' is longer than {MAX_NAME_BYTES} bytes")]
    LongName {
        /// The collection of the address.
        collection: Collection,
        /// The id as given.
        id: String,
    },
    /// The id is no name of its collection.
    #[error("{collection}: '{id}' is not a name; {}", id::rule_of(collection.id_form()))]
    BadName {
        /// The collection of the address.
        collection: Collection,
        /// The id as given.
        id: String,
    },
}

impl AddressError {
    /// What to write instead, where that can be told.
    pub fn hint(&self) -> Option<String> {
        match self {
            AddressError::BadName { collection: Collection::Packages, id } => {
                let (name, version) = id.split_once('=')?;
                Some(format!("a version is an attribute: {name}: {{version: \"{version}\"}}"))
            }
            AddressError::BadName { collection: Collection::Services, id } if id.ends_with('@') => {
                Some(format!("name an instance of the template, as in {id}example"))
            }
            _ => None,
        }
    }
}

impl Address {
    /// Makes the address of `id` in `collection`.
    ///
    /// # Errors
    /// When the id is not one of that collection's form.
    pub fn new(collection: Collection, id: impl AsRef<str>) -> Result<Self, AddressError> {
        let id = id.as_ref();
        if id.is_empty() || id.len() > MAX_ID_BYTES || id.chars().any(char::is_control) {
            return Err(AddressError::BadId { collection, id: id.to_owned() });
        }
        if collection.id_is_path() {
            if !is_clean_absolute(id) {
                return Err(AddressError::BadPath { collection, id: id.to_owned() });
            }
            if id.split('/').any(|part| part.len() > MAX_NAME_BYTES) {
                return Err(AddressError::LongName { collection, id: id.to_owned() });
            }
        } else if !id::is_name(collection.id_form(), id) {
            return Err(AddressError::BadName { collection, id: id.to_owned() });
        }
        Ok(Address { collection, id: id.into() })
    }

    /// The collection.
    pub fn collection(&self) -> Collection {
        self.collection
    }

    /// The id: a name, or an absolute path with its leading slash.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The address that all names of the same thing have in common.
    #[must_use]
    pub fn folded(&self) -> Address {
        match self.collection.id_form().fold(&self.id) {
            Cow::Borrowed(same) if *same == *self.id => self.clone(),
            folded => Address { collection: self.collection, id: folded.into() },
        }
    }

    /// The paths of the files that it stands for, whole: no other resource has them.
    pub fn paths(&self) -> Vec<String> {
        self.collection.paths_of(&self.id)
    }
}

/// Whether `path` starts with a slash and every component is a plain name.
pub fn is_clean_absolute(path: &str) -> bool {
    match path.strip_prefix('/') {
        Some(rest) => !rest.is_empty() && rest.split('/').all(|part| !matches!(part, "" | "." | "..")),
        None => false,
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.collection.id_is_path() {
            return write!(f, "{}{}", self.collection, self.id);
        }
        // A slash in a name is no part of a path.
        write!(f, "{}/{}", self.collection, self.id.replace('/', ENCODED_SLASH))
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let slash = text.find('/').ok_or_else(|| AddressError::NoCollection(text.to_owned()))?;
        let (name, path) = text.split_at(slash);
        let collection: Collection = name.parse()?;
        if collection.id_is_path() {
            return Address::new(collection, path);
        }
        let id = path.get(1..).unwrap_or_default();
        if id.contains(ENCODED_SLASH) {
            return Address::new(collection, id.replace(ENCODED_SLASH, "/"));
        }
        Address::new(collection, id)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::from_text::deserialize(deserializer)
    }
}

impl JsonSchema for Address {
    fn schema_name() -> Cow<'static, str> {
        "Address".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "description": "collection/id, as in packages/nginx or files/etc/motd"})
    }
}
