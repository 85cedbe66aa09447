//! application.yaml.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{ParameterDocument, Resources};

/// `applications/<application>/application.yaml`: a reusable description.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ApplicationDocument {
    /// What it is, for people.
    pub description: Option<String>,
    /// What may be set, by name.
    pub parameters: BTreeMap<String, ParameterDocument>,
    /// Names that are computed once and are in scope of the resources' templates.
    pub values: BTreeMap<String, Value>,
    /// The resources.
    pub resources: Resources,
}
