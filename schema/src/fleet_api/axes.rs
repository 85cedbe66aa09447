//! How a host fares, in three words.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::state::{Contact, Health, Sync};

/// The three axes of a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Axes {
    /// Whether it has what its revision says.
    pub sync: Sync,
    /// How it fares.
    pub health: Health,
    /// Why, in one CamelCase word; empty where all is well.
    pub reason: String,
    /// Why, for people.
    pub message: String,
    /// When it was last heard of.
    pub contact: Contact,
}

impl Axes {
    /// Whether all is well: in sync, healthy, and so heard of.
    pub fn is_green(&self) -> bool {
        self.health == Health::Healthy && self.sync == Sync::Synced
    }
}
