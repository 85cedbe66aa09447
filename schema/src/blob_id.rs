//! How Git names contents.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha1_checked::{Digest, Sha1};

use crate::digest::bytes_of_lower_hex;

#[cfg(test)]
mod tests;

/// The id that Git gives a blob: SHA-1 of `blob`, its size and its bytes; written as 40 lower-case hexadecimal digits.
///
/// SHA-1 is broken: where the bytes bear the marks of a collision that somebody made, the id is another one than Git's,
/// and so equal to nobody's.
/// <https://git-scm.com/docs/gitformat-loose>, <https://github.com/cr-marcstevens/sha1collisiondetection>
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(pub [u8; 20]);

/// The text is not 40 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the id of a Git blob of 40 lower-case hexadecimal digits")]
pub struct BadBlobId(String);

impl BlobId {
    /// The id of these bytes.
    pub fn of(bytes: &[u8]) -> BlobId {
        let mut hash = Sha1::new();
        hash.update(format!("blob {}\0", bytes.len()));
        hash.update(bytes);
        BlobId(hash.finalize().into())
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for BlobId {
    type Err = BadBlobId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        bytes_of_lower_hex(text).map(BlobId).ok_or_else(|| BadBlobId(text.chars().take(80).collect()))
    }
}

impl Serialize for BlobId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BlobId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::from_text::deserialize(deserializer)
    }
}

impl JsonSchema for BlobId {
    fn schema_name() -> Cow<'static, str> {
        "BlobId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9a-f]{40}$"})
    }
}
