//! Heads: the short-lived statement of which manifest is a host's newest.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::commit_id::CommitId;
use crate::digest::Sha256Digest;
use crate::fleet_name::FleetName;
use crate::host_id::HostId;
use crate::manifest::HostIdentity;
use crate::timestamp::Timestamp;

/// The largest head, in bytes.
pub const MAX_HEAD_BYTES: usize = 16 * 1024;

/// The longest that a head is valid after it was issued.
pub const MAX_HEAD_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

crate::document_type::document_type! {
    /// The type of a head.
    HeadType = "head"
}

/// Names a host's newest manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Always `head`.
    pub r#type: HeadType,
    /// The fleet.
    pub fleet: FleetName,
    /// The host.
    pub host: HostIdentity,
    /// The root's epoch.
    pub epoch: u64,
    /// The manifest's serial.
    pub serial: u64,
    /// The digest of the manifest's bytes; its name in the published tree.
    pub manifest: Sha256Digest,
    /// The revision that the host is to be at.
    pub revision: CommitId,
    /// When it was signed.
    pub issued: Timestamp,
    /// When it ends; at most [`MAX_HEAD_LIFE`] later.
    pub expires: Timestamp,
    /// What the agent asked with: proves that this answer is new.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub nonce: Option<String>,
    /// The host has left the repository: the agent stops enforcing.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub retired: bool,
    /// The host's new id.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub renamed: Option<HostId>,
}
