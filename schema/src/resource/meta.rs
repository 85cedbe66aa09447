//! What every resource has, whatever its type.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::Address;

/// Whether a thing is to exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Existence {
    /// It exists.
    #[default]
    Present,
    /// It does not exist.
    Absent,
    /// It exists in the newest version to be had; packages only.
    Latest,
}

/// What the agent does about a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Enforcement {
    /// Repairs it.
    #[default]
    Enforce,
    /// Reports it and writes nothing.
    Audit,
    /// Applies each new content once, then only reports.
    ApplyOnce,
}

/// What happens to a thing when its resource leaves the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnRemove {
    /// It goes back to what was found before the first change.
    #[default]
    Restore,
    /// It stays as it is.
    Keep,
}

/// The attributes common to all types. Edges name addresses of the same manifest;
/// globs and `applications/…` are resolved at render.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Meta {
    /// Whether the thing is to exist.
    #[serde(skip_serializing_if = "is_default")]
    pub state: Existence,
    /// What is done about a difference; none leaves it to the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Enforcement>,
    /// What must have been applied before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<Address>,
    /// A service: restart it when one of these changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub restart_on: Vec<Address>,
    /// A service: reload it when one of these changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reload_on: Vec<Address>,
    /// A command: run it when one of these changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub run_on: Vec<Address>,
    /// How long one attempt may take, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u32>,
    /// How many further attempts follow a failed one, within the same apply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<u32>,
    /// What happens when the resource leaves.
    #[serde(skip_serializing_if = "is_default")]
    pub on_remove: OnRemove,
    /// Whether a change of it stands only when the orchestrator is reached after it; none leaves it to its type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risky: Option<bool>,
}

impl Meta {
    /// Whether nothing differs from the default.
    pub fn is_default(&self) -> bool {
        is_default(self)
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
