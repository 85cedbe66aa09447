//! environment.yaml.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Assignments, Labels, Resources, Settings};
use crate::resource::Enforcement;

/// `environments/<environment>/environment.yaml`: what the hosts of an environment have in common.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EnvironmentDocument {
    /// Labels of every host of the environment.
    pub labels: Labels,
    /// What agents do about differences, unless a host or a resource says otherwise.
    pub mode: Option<Enforcement>,
    /// Applications of these hosts.
    pub applications: Assignments,
    /// Settings for these hosts.
    pub settings: Settings,
    /// Resources of these hosts.
    pub resources: Resources,
}
