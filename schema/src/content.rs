//! References to contents.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::digest::Sha256Digest;

/// The largest blob, in bytes. Larger things belong in a package or a download.
pub const MAX_BLOB_BYTES: u64 = 16 * 1024 * 1024;

/// Names a blob of the published tree: `blobs/<sha256>`, of exactly `size` bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BlobRef {
    /// The digest of the whole content.
    pub sha256: Sha256Digest,
    /// The content's length in bytes.
    pub size: u64,
}

impl BlobRef {
    /// The reference to `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        BlobRef { sha256: Sha256Digest::of(bytes), size: bytes.len() as u64 }
    }
}

/// The reference to a content that comes in pieces.
#[derive(Debug, Clone, Default)]
pub struct ContentDigest {
    hash: Sha256,
    size: u64,
}

impl ContentDigest {
    /// Takes in the next bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
    }

    /// The reference to all that came.
    pub fn finish(self) -> BlobRef {
        BlobRef { sha256: Sha256Digest::finish(self.hash), size: self.size }
    }
}
