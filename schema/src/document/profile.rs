//! Profiles.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Assignments, Resources, Selector, Settings};

/// `profiles/<name>.yaml`, also below an environment: what the selected hosts have.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileDocument {
    /// Which hosts, by their labels.
    pub hosts: Selector,
    /// Applications of these hosts.
    #[serde(default)]
    pub applications: Assignments,
    /// Settings for these hosts.
    #[serde(default)]
    pub settings: Settings,
    /// Resources of these hosts.
    #[serde(default)]
    pub resources: Resources,
}
