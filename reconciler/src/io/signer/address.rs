//! Where a signer process listens.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// `unix:/run/muster-signer/socket`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignerAddress(PathBuf);

/// It is no address of a signer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no address of a signer; write unix:/PATH/OF/THE/SOCKET")]
pub struct BadSignerAddress(String);

impl SignerAddress {
    /// The socket's path.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl FromStr for SignerAddress {
    type Err = BadSignerAddress;

    fn from_str(text: &str) -> Result<Self, BadSignerAddress> {
        let path = text.strip_prefix("unix:").map(PathBuf::from).filter(|path| path.is_absolute());
        path.map(SignerAddress).ok_or_else(|| BadSignerAddress(text.chars().take(200).collect()))
    }
}

impl fmt::Display for SignerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unix:{}", self.0.display())
    }
}
