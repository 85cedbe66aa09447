//! Resources and collections, as they are shown.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::address::Address;
use crate::collection::Collection;
use crate::commit_id::CommitId;
use crate::culprit::Culprit;
use crate::resource::Existence;
use crate::state::{Cause, ResourceState};
use crate::timestamp::Timestamp;

/// What there is to ask for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CollectionsView {
    /// The revision that is in force.
    pub revision: Option<CommitId>,
    /// Every collection that this agent knows.
    pub collections: Vec<CollectionLine>,
}

/// One collection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CollectionLine {
    /// Its name.
    pub collection: Collection,
    /// How many of its resources are managed.
    pub managed: u32,
    /// How many of those are in each state.
    pub states: BTreeMap<ResourceState, u32>,
    /// Whether `?all=true` can tell what the host has.
    pub can_list: bool,
}

/// What is in a collection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CollectionView {
    /// Its name.
    pub collection: Collection,
    /// The revision that is in force.
    pub revision: Option<CommitId>,
    /// Its resources, by id.
    pub items: Vec<ResourceLine>,
}

/// One resource in a list. The states are those of the agent's last look; asking for the resource itself looks anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResourceLine {
    /// Its address.
    pub address: Address,
    /// Whether the manifest names it.
    pub managed: bool,
    /// Its state; none of what is not managed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub state: Option<ResourceState>,
    /// Since when it is in that state.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub since: Option<Timestamp>,
    /// Why, for people.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub message: String,
}

/// One resource: what it is to be, what it is, and how the agent fares with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResourceView {
    /// Its address.
    pub address: Address,
    /// Whether the manifest names it.
    pub managed: bool,
    /// What it is to be; none of what is not managed.
    pub desired: Option<DesiredView>,
    /// What the host has, read for this answer; none where it cannot be read.
    pub observed: Option<ObservedView>,
    /// When that was read.
    pub observed_at: Timestamp,
    /// Its state after the agent's last run; none of what is not managed.
    pub state: Option<ResourceState>,
    /// Since when it is in that state.
    pub since: Option<Timestamp>,
    /// Why, for people.
    pub message: String,
    /// What the agent would do about what it just read; none where nothing.
    pub plan: Option<String>,
    /// The agent's last change of it.
    pub last_change: Option<LastChange>,
    /// The revision that is in force.
    pub revision: Option<CommitId>,
}

/// What a resource is to be. Secret values are `***`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DesiredView {
    /// Whether it is to exist.
    pub state: Existence,
    /// The attributes that are managed.
    pub attributes: Map<String, Value>,
}

/// What the host has. Secret values are `***`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ObservedView {
    /// Whether it is there.
    pub present: bool,
    /// Its attributes.
    pub attributes: Map<String, Value>,
}

/// A change that the agent made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LastChange {
    /// When, by the host's clock.
    pub at: Timestamp,
    /// Why.
    pub cause: Cause,
    /// What was changed: attribute names, never secret values.
    pub message: String,
    /// Who made the drift that was put right; none where that is not known, or there was none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<Culprit>,
}
