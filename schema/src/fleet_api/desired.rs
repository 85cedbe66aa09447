//! What is published for a host.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::manifest::HostIdentity;
use crate::{CommitId, Sha256Digest};

/// What was last published for a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Desired {
    /// Whom it was published for.
    pub host: HostIdentity,
    /// The digest of the manifest's bytes.
    pub manifest: Sha256Digest,
    /// The digest of its content.
    pub content: Sha256Digest,
    /// The root's epoch.
    pub epoch: u64,
    /// The manifest's serial.
    pub serial: u64,
    /// The revision where the content last changed.
    pub changed_at: CommitId,
    /// How many resources it has.
    pub resources: u32,
}
