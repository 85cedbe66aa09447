//! Agents that nobody has approved.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::manifest::HostIdentity;
use crate::message::Announce;
use crate::{PublicKey, Timestamp};

/// An agent that waits for approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PendingView {
    /// Its key, by which it goes: names select nothing.
    pub key: PublicKey,
    /// The key's fingerprint, which the machine shows too.
    pub fingerprint: String,
    /// When it was first heard of.
    pub first_seen: Timestamp,
    /// The host that is to be re-keyed: its key of before says so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replaces: Option<HostIdentity>,
    /// What it said.
    pub announce: Announce,
}
