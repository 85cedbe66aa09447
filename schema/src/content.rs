//! References to contents.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
