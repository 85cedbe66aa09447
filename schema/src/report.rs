//! Reports: what an agent says of its host after each run that changed something.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::breakglass::BreakGlassReport;
use crate::commit_id::CommitId;
use crate::culprit::Culprit;
use crate::digest::Sha256Digest;
use crate::state::{Cause, Health, ResourceState};
use crate::timestamp::Timestamp;

/// The longest free text in a report, in bytes; agents cut longer ones.
pub const MAX_TEXT_BYTES: usize = 1024;

/// The most resources or transitions that one report lists.
pub const MAX_LISTED: usize = 10_000;

/// The state of a host after a run. The message that carries it gives host and seq.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// What is applied; none before the first manifest.
    pub applied: Option<Applied>,
    /// How the host fares.
    pub health: Health,
    /// Why, in one CamelCase word.
    pub reason: String,
    /// Why, for people.
    pub message: String,
    /// How many resources are in each state.
    pub counts: BTreeMap<ResourceState, u32>,
    /// Every resource that is not `compliant` or `repaired`; at most [`MAX_LISTED`].
    pub deviations: Vec<ResourceReport>,
    /// What changed since the last report, in order; at most [`MAX_LISTED`].
    pub transitions: Vec<Transition>,
    /// What was refused since the last report.
    pub rejections: Vec<Rejection>,
    /// What holds for a limited time now, as the agent judges it; at most [`MAX_LISTED`].
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub exceptions: Vec<ExceptionReport>,
    /// The agent has stopped enforcing, because its head says `retired`.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub retired: bool,
    /// What is applied came from people with break-glass keys, and not from the orchestrator.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub break_glass: Option<BreakGlassReport>,
}

/// The manifest that a host has applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Applied {
    /// The digest of the manifest's bytes.
    pub manifest: Sha256Digest,
    /// The digest of its content.
    pub content: Sha256Digest,
    /// The manifest's epoch.
    pub epoch: u64,
    /// The manifest's serial.
    pub serial: u64,
    /// The revision that the head named.
    pub revision: CommitId,
}

/// The state of one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResourceReport {
    /// The resource.
    pub address: Address,
    /// Its state.
    pub state: ResourceState,
    /// Why, for people.
    pub message: String,
}

/// An exception that holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExceptionReport {
    /// The resource.
    pub address: Address,
    /// Why, for people.
    pub reason: String,
    /// When it ends.
    pub until: Timestamp,
    /// Whether nothing is asked of the thing; else other attributes hold.
    pub waived: bool,
}

/// One change of one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Transition {
    /// Counts up by one for each transition of a host.
    pub seq: u64,
    /// The resource.
    pub address: Address,
    /// Its state before; none when it was not managed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<ResourceState>,
    /// Its state after; none when it is not managed any more.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub to: Option<ResourceState>,
    /// Why.
    pub cause: Cause,
    /// What was changed, for people: attribute names, never secret values.
    pub message: String,
    /// When, by the host's clock.
    pub at: Timestamp,
    /// Who made the drift that was found; none where that is not known, or there was none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<Culprit>,
}

/// Something that an agent refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rejection {
    /// Stable, in CamelCase; `docs/reference/reject-codes.md` lists them.
    pub code: String,
    /// Why, for people.
    pub message: String,
    /// When, by the host's clock.
    pub at: Timestamp,
}
