//! Secrets: their names, how they are written into a content, and contents that have them in.

use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::content::BlobRef;
use crate::digest::Sha256Digest;

mod age_file;
#[cfg(test)]
mod tests;
mod text;

pub use age_file::{BadAgeFile, load_age};
pub use text::Text;

/// The largest secret, in bytes.
pub const MAX_SECRET_BYTES: usize = 256 * 1024;

/// The largest encrypted secret, in bytes: age adds about a hundred for each recipient.
pub const MAX_CIPHERTEXT_BYTES: u64 = 1024 * 1024;

/// The most pieces of one content.
pub const MAX_SEGMENTS: usize = 10_000;

crate::name::name_type! {
    /// The name of a secret: the stem of its file in `secrets/`.
    SecretName
}

/// How a secret is written where it stands; as it is where nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Encode {
    /// Percent-encoded as in RFC 3986: all but letters, digits and `-._~`.
    Url,
    /// Base64 as in RFC 4648, with padding, on one line.
    Base64,
    /// One word of a POSIX shell, in single quotes.
    Shell,
    /// A string of JSON, with its quotes.
    Json,
}

impl Encode {
    /// All of them.
    pub const ALL: [Encode; 4] = [Encode::Url, Encode::Base64, Encode::Shell, Encode::Json];

    /// Its name, as in `encode='url'`.
    pub const fn name(self) -> &'static str {
        match self {
            Encode::Url => "url",
            Encode::Base64 => "base64",
            Encode::Shell => "shell",
            Encode::Json => "json",
        }
    }
}

/// A secret where it stands in a content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretSegment {
    /// Its name.
    pub name: SecretName,
    /// How it is written.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub encode: Option<Encode>,
    /// The encrypted secret: a file of age.
    pub ciphertext: BlobRef,
}

/// A piece of a content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Segment {
    /// These bytes.
    Literal(BlobRef),
    /// A secret, which only the host can read.
    Secret(SecretSegment),
}

/// A content with secrets in it: its pieces, in their order.
///
/// What is literal and what is a secret is told by the form, never by a mark within the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretContent {
    /// The pieces.
    pub segments: Vec<Segment>,
    /// A keyed digest of the bytes with the secrets in. Only an agent that has read them knows it; it is no part of
    /// any document.
    #[serde(skip)]
    pub filled: Option<Sha256Digest>,
}

impl SecretContent {
    /// A content of these pieces, not yet read.
    pub fn new(segments: Vec<Segment>) -> SecretContent {
        SecretContent { segments, filled: None }
    }

    /// The blobs that it is made of.
    pub fn blobs(&self) -> impl Iterator<Item = BlobRef> {
        self.segments.iter().map(|segment| match segment {
            Segment::Literal(blob) => *blob,
            Segment::Secret(secret) => secret.ciphertext,
        })
    }

    /// The secrets in it.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretSegment> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Literal(_) => None,
            Segment::Secret(secret) => Some(secret),
        })
    }

    /// What makes no sense of it, as the end of a sentence.
    pub fn fault(&self) -> Option<String> {
        if self.secrets().next().is_none() {
            return Some("has segments, and no secret among them".to_owned());
        }
        (self.segments.len() > MAX_SEGMENTS).then(|| format!("has more than {MAX_SEGMENTS} segments"))
    }
}

/// A content: bytes, or pieces with secrets among them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Content {
    /// These bytes.
    Blob(BlobRef),
    /// Pieces.
    Secret(Box<SecretContent>),
}

/// The fields of both forms. Each content has those of one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ContentWire {
    #[serde(default, deserialize_with = "not_null")]
    sha256: Option<Sha256Digest>,
    #[serde(default, deserialize_with = "not_null")]
    size: Option<u64>,
    #[serde(default, deserialize_with = "not_null")]
    segments: Option<Vec<Segment>>,
}

fn not_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Content, D::Error> {
        match ContentWire::deserialize(deserializer)? {
            ContentWire { sha256: Some(sha256), size: Some(size), segments: None } => {
                Ok(BlobRef { sha256, size }.into())
            }
            ContentWire { sha256: None, size: None, segments: Some(segments) } => {
                Ok(SecretContent::new(segments).into())
            }
            _ => Err(D::Error::custom("a content has 'sha256' and 'size', or 'segments'")),
        }
    }
}

impl Content {
    /// The bytes, where all of them are known.
    pub fn blob(&self) -> Option<BlobRef> {
        match self {
            Content::Blob(blob) => Some(*blob),
            Content::Secret(_) => None,
        }
    }

    /// The pieces, where there are secrets among them.
    pub fn secret(&self) -> Option<&SecretContent> {
        match self {
            Content::Blob(_) => None,
            Content::Secret(content) => Some(content),
        }
    }

    /// The pieces, to be read.
    pub fn secret_mut(&mut self) -> Option<&mut SecretContent> {
        match self {
            Content::Blob(_) => None,
            Content::Secret(content) => Some(content),
        }
    }

    /// The blobs that it is made of.
    pub fn blobs(&self) -> Vec<BlobRef> {
        match self {
            Content::Blob(blob) => vec![*blob],
            Content::Secret(content) => content.blobs().collect(),
        }
    }
}

impl From<BlobRef> for Content {
    fn from(blob: BlobRef) -> Content {
        Content::Blob(blob)
    }
}

impl From<SecretContent> for Content {
    fn from(content: SecretContent) -> Content {
        Content::Secret(Box::new(content))
    }
}
