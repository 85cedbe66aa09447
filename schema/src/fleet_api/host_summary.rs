//! A host in a list.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Axes;
use crate::{CommitId, HostId, Timestamp};

/// A host in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostSummary {
    /// Its id.
    pub id: HostId,
    /// Its environment; none once it has left the repository.
    pub environment: Option<String>,
    /// Its declared labels.
    pub labels: BTreeMap<String, String>,
    /// How it fares.
    #[serde(flatten)]
    pub axes: Axes,
    /// Whether the holder of its key answered the challenge.
    pub enrolled: bool,
    /// The revision that it is to have.
    pub assigned: Option<CommitId>,
    /// The revision that it said to have applied.
    pub applied_revision: Option<CommitId>,
    /// The serial of the manifest that is published for it.
    pub serial: Option<u64>,
    /// When it was last heard of, since the orchestrator started.
    pub last_contact: Option<Timestamp>,
}
