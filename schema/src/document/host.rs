//! Host files.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Assignments, Exceptions, Labels, Resources, Settings};
use crate::key::PublicKey;
use crate::resource::Enforcement;

/// What becomes of a host that leaves the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnRetire {
    /// The agent stops, the host stays as it is.
    #[default]
    Keep,
    /// The agent puts back what it found, then stops.
    Revert,
}

/// `environments/<environment>/hosts/<host>.yaml`: one host. The file's stem is its id.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HostDocument {
    /// The host's public key: its identity, and the approval to enrol. Without it
    /// the host is declared and checked, and nothing is published for it.
    pub key: Option<PublicKey>,
    /// The key that secrets are encrypted to for this host.
    #[schemars(regex(pattern = "^age1[0-9a-z]+$"))]
    pub recipient: Option<String>,
    /// Keys that were taken back: no enrolment token makes one of them this host's. `muster host revoke` writes them.
    pub revoked_keys: Vec<PublicKey>,
    /// What becomes of the host when this file leaves.
    pub on_retire: OnRetire,
    /// The host's own labels; they stand over the environment's.
    pub labels: Labels,
    /// What the agent does about differences, unless a resource says otherwise.
    pub mode: Option<Enforcement>,
    /// Applications of this host.
    pub applications: Assignments,
    /// Settings for this host.
    pub settings: Settings,
    /// Resources of this host.
    pub resources: Resources,
    /// What holds for a limited time, by address.
    pub exceptions: Exceptions,
}
