//! The fleet at a glance.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Assignments;
use crate::condition::Condition;
use crate::{CommitId, FleetName};

/// The fleet at a glance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FleetView {
    /// Its name.
    pub fleet: FleetName,
    /// Where the watched branch is; looked at already where `attempted` is the same.
    pub tip: Option<CommitId>,
    /// The revision that was last looked at, verified or not.
    pub attempted: Option<CommitId>,
    /// Which revision each host is to have.
    pub assignments: Assignments,
    /// What is stated of the fleet.
    pub conditions: Vec<Condition>,
    /// How many hosts there are.
    pub hosts: usize,
    /// How many hosts there are of each state: `health/Healthy`, `sync/Synced`, `contact/Live`.
    pub axes: BTreeMap<String, usize>,
    /// How many faults the newest verified revision has.
    pub findings: usize,
    /// How many agents wait for approval.
    pub pending: usize,
}
