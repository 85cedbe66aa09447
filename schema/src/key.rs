//! Public keys in minisign's form.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// An Ed25519 public key with its key id, written as minisign's one line of base64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey {
    id: KeyId,
    point: [u8; 32],
}

/// The eight bytes that minisign puts in front of a key, as it prints them:
/// 16 upper-case hexadecimal digits. A hint which key to try, never a proof.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub(crate) [u8; 8]);

/// The text is no public key of minisign's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a minisign public key; it is 56 characters of base64 that start with RW")]
pub struct BadKey(String);

impl PublicKey {
    /// The key with this id and these bytes.
    pub(crate) fn of_parts(id: [u8; 8], point: [u8; 32]) -> Self {
        PublicKey { id: KeyId(id), point }
    }

    /// The key's id.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// What people compare: SHA-256 of the key's bytes, in groups of four digits.
    pub fn fingerprint(&self) -> String {
        let digest = hex::encode(Sha256::new().chain_update(self.id.0).chain_update(self.point).finalize());
        let groups: Vec<&str> = (0..8).filter_map(|i| digest.get(i * 4..i * 4 + 4)).collect();
        groups.join("-")
    }

    /// The key itself: the same under whatever id it is written down.
    pub(crate) fn point(&self) -> [u8; 32] {
        self.point
    }

    pub(crate) fn for_verifying(&self) -> Result<minisign_verify::PublicKey, minisign_verify::Error> {
        minisign_verify::PublicKey::from_base64(&self.to_string())
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", u64::from_le_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; 42];
        bytes[..2].copy_from_slice(b"Ed");
        bytes[2..10].copy_from_slice(&self.id.0);
        bytes[10..].copy_from_slice(&self.point);
        f.write_str(&STANDARD.encode(bytes))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl FromStr for PublicKey {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadKey(text.chars().take(80).collect());
        let bytes: [u8; 42] = STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok()).ok_or_else(bad)?;
        let (b"Ed", rest) = bytes.split_first_chunk::<2>().ok_or_else(bad)? else {
            return Err(bad());
        };
        let (id, point) = rest.split_first_chunk::<8>().ok_or_else(bad)?;
        let point = point.first_chunk::<32>().ok_or_else(bad)?;
        Ok(PublicKey { id: KeyId(*id), point: *point })
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::from_text::deserialize(deserializer)
    }
}

impl JsonSchema for PublicKey {
    fn schema_name() -> Cow<'static, str> {
        "PublicKey".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^RW[A-Za-z0-9+/]{54}$", "description": "a minisign public key"})
    }
}
