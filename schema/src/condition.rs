//! Conditions, as in Flux and kstatus.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::commit_id::CommitId;
use crate::timestamp::Timestamp;

/// One statement about a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// What is stated, in CamelCase: `Ready`, `Verified`.
    pub r#type: String,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// Why, in one CamelCase word.
    pub reason: String,
    /// Why, for people.
    pub message: String,
    /// The revision that the statement is about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub observed_revision: Option<CommitId>,
    /// When `status` last changed.
    pub last_transition: Timestamp,
}

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not.
    False,
    /// It cannot be told.
    Unknown,
}
