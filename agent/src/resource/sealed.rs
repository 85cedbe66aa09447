//! Contents with secrets in them, as states hold them.

use muster_schema::Sha256Digest;
use muster_schema::content::BlobRef;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A content with secrets in it. It is compared, and never shown: neither its bytes nor their digest or number.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// The keyed digest of the bytes; see [`Secrets::digest`](crate::secrets::Secrets::digest).
    pub sealed: Sha256Digest,
    /// Where they are kept, encrypted to this host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<BlobRef>,
}

impl Sealed {
    /// A content that is kept nowhere.
    pub fn new(sealed: Sha256Digest) -> Sealed {
        Sealed { sealed, kept: None }
    }
}

/// Where the bytes are kept does not matter.
impl PartialEq for Sealed {
    fn eq(&self, other: &Sealed) -> bool {
        self.sealed == other.sealed
    }
}

impl Eq for Sealed {}

impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(…)")
    }
}
