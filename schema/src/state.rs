//! The states of resources and the axes of hosts.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The state of one resource on one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResourceState {
    /// Observed equals desired.
    Compliant,
    /// It differed and was put right in the last run.
    Repaired,
    /// It differs, and is only audited.
    NonCompliant,
    /// Putting it right failed.
    Error,
    /// Something that it needs failed, or a guard forbids the change.
    Blocked,
    /// It is yet to be applied.
    Pending,
    /// Its resource left and the thing stays.
    Retained,
    /// The orchestrator expected it and the host did not report it.
    Missing,
    /// It makes no sense on this host.
    NotApplicable,
    /// It cannot be known.
    Unknown,
    /// A waiver covers it.
    Waived,
}

/// Whether a host has what its revision says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Sync {
    /// The applied content is that of the assigned revision.
    Synced,
    /// It is not, or not all of it.
    OutOfSync,
    /// The host has not said.
    Unknown,
}

/// How a host fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Health {
    /// All is well.
    Healthy,
    /// A change is being applied.
    Progressing,
    /// It waits for something that is named in the reason.
    Pending,
    /// Something failed.
    Degraded,
    /// A person stopped it.
    Suspended,
    /// The host has not said.
    Unknown,
}

/// When a host was last heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Contact {
    /// Just now.
    Live,
    /// More than two minutes ago.
    Stale,
    /// More than 15 minutes ago.
    Lost,
    /// Not yet.
    NeverSeen,
}

/// Why a resource's state changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The first application of the resource.
    Initial,
    /// A new revision.
    Intentional,
    /// The repair of drift.
    Corrective,
    /// A reaction to the change of another resource.
    Cascade,
}

macro_rules! display_as_written {
    ($($type:ty),*) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.serialize(f)
            }
        }
    )*};
}
display_as_written!(ResourceState, Sync, Health, Contact, Cause);
