//! muster.yaml.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Assignments, Resources, Settings};
use crate::fleet_name::FleetName;
use crate::resource::Enforcement;

/// `muster.yaml`: the fleet, and what all its hosts have.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FleetDocument {
    /// The version of this language: 1.
    #[schemars(range(min = 1, max = 1))]
    pub schema: u32,
    /// The fleet's name; every signed document carries it, so it never changes.
    pub fleet: FleetName,
    /// What agents do about differences, unless an environment, a host or a resource says otherwise.
    #[serde(default)]
    pub mode: Option<Enforcement>,
    /// Applications of all hosts.
    #[serde(default)]
    pub applications: Assignments,
    /// Settings for all hosts.
    #[serde(default)]
    pub settings: Settings,
    /// Resources of all hosts.
    #[serde(default)]
    pub resources: Resources,
}
