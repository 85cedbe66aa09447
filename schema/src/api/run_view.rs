//! What a plan or a run came to.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::resource_view::ResourceLine;
use crate::address::Address;
use crate::commit_id::CommitId;
use crate::state::ResourceState;

/// What would be changed now. Nothing was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanView {
    /// The revision that is in force.
    pub revision: Option<CommitId>,
    /// How many things would be changed, or differ and are only reported.
    pub differences: u32,
    /// In the order in which it would be done; what is blocked or stays is told too.
    pub changes: Vec<PlannedChange>,
}

/// One line of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedChange {
    /// The resource.
    pub address: Address,
    /// What would happen to it. What leaves begins with `will return to: `.
    pub change: String,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConvergeView {
    /// Whether the run has ended; else it goes on, and `GET /v1` tells how it fares.
    pub finished: bool,
    /// What was changed since it was asked for.
    pub changed: Vec<ResourceLine>,
    /// How many resources are in each state now.
    pub states: BTreeMap<ResourceState, u32>,
}
