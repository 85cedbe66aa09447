//! Entries of an access control list beside the permission bits.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One entry in the form of acl(5): `user:anna:rw-`, `group:web:r--`, and `group::r--` for the owning group.
///
/// Owner, mask and all others are what `mode` says: its middle digit is the mask.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AclEntry {
    /// Whom it is about.
    pub who: AclWho,
    /// What it allows: 4 to read, 2 to write, 1 to execute.
    pub bits: u16,
}

/// Whom an entry is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum AclWho {
    /// A user, by name or number.
    User(String),
    /// The group that the file belongs to.
    OwningGroup,
    /// A group, by name or number.
    Group(String),
}

/// The text is no such entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no entry of an access control list; write user:NAME:rwx or group:NAME:rwx, with '-' for what is not allowed"
)]
pub struct BadAclEntry(String);

impl FromStr for AclEntry {
    type Err = BadAclEntry;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| BadAclEntry(text.chars().take(80).collect()))
    }
}

fn parse(text: &str) -> Option<AclEntry> {
    let mut parts = text.split(':');
    let (kind, name, bits) = (parts.next()?, parts.next()?, parts.next()?);
    let who = match (kind, name) {
        ("user", name) if is_name(name) => AclWho::User(name.to_owned()),
        ("group", "") => AclWho::OwningGroup,
        ("group", name) if is_name(name) => AclWho::Group(name.to_owned()),
        _ => return None,
    };
    let mut total = 0;
    for (letter, (allowed, bit)) in bits.chars().zip([('r', 4), ('w', 2), ('x', 1)]) {
        match letter {
            '-' => {}
            letter if letter == allowed => total |= bit,
            _ => return None,
        }
    }
    (bits.len() == 3 && parts.next().is_none()).then_some(AclEntry { who, bits: total })
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control())
}

impl fmt::Display for AclEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = match &self.who {
            AclWho::User(name) => ("user", name.as_str()),
            AclWho::OwningGroup => ("group", ""),
            AclWho::Group(name) => ("group", name.as_str()),
        };
        let letter = |bit: u16, letter: char| if self.bits & bit == 0 { '-' } else { letter };
        write!(f, "{kind}:{name}:{}{}{}", letter(4, 'r'), letter(2, 'w'), letter(1, 'x'))
    }
}

impl Serialize for AclEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AclEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::from_text::deserialize(deserializer)
    }
}

impl JsonSchema for AclEntry {
    fn schema_name() -> Cow<'static, str> {
        "AclEntry".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^(user:[^:\\s]+|group:[^:\\s]*):[r-][w-][x-]$",
            "description": "an entry as in acl(5): user:anna:rw-"
        })
    }
}
