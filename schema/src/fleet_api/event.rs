//! What happened.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{HostId, Timestamp};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Counts up, over restarts of the orchestrator too: the time in milliseconds, or one more than the event before.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
    /// The host that it is about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub host: Option<HostId>,
    /// For people.
    pub message: String,
}

/// The kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A revision was verified and is being rolled out.
    RevisionVerified,
    /// A revision was refused.
    RevisionRejected,
    /// A revision has faults.
    RevisionFaulty,
    /// A host's new manifest was published.
    ManifestPublished,
    /// A host reported that it applied a manifest.
    HostApplied,
    /// A host repaired or noticed drift.
    HostDrift,
    /// A host's health changed.
    HostHealth,
    /// A host refused something.
    HostRejected,
    /// An agent waits for approval.
    EnrolmentPending,
    /// An agent was enrolled.
    EnrolmentDone,
    /// A machine is to be a host, by an enrolment token.
    TokenClaimed,
    /// Two machines speak with one host's key.
    HostCopied,
    /// A host's key was taken out of its file.
    KeyRevoked,
    /// A new root document counts: other keys, or a new epoch.
    RootFollowed,
    /// A host was retired.
    HostRetired,
    /// A message was refused.
    MessageRefused,
    /// The broker can be used.
    BrokerConnected,
    /// The broker cannot be used.
    BrokerLost,
}
