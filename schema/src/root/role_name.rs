//! The names of the roles of a root document.

use std::fmt;
use std::str::FromStr;

/// A role: what its keys may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoleName {
    /// Signs root documents.
    Root,
    /// Signs manifests.
    Render,
    /// Signs heads and messages to agents.
    Fresh,
    /// Signs manifests that it rendered anew, on another machine. A fleet may have none.
    Witness,
    /// Signs head and manifest of one host where the orchestrator cannot. A fleet may have none.
    BreakGlass,
}

/// There is no role of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no role; roles are root, render, fresh, witness and breakglass")]
pub struct UnknownRole(String);

impl RoleName {
    /// Every role.
    pub const ALL: [RoleName; 5] =
        [RoleName::Root, RoleName::Render, RoleName::Fresh, RoleName::Witness, RoleName::BreakGlass];

    /// Whether a fleet may do without it.
    pub fn is_optional(self) -> bool {
        matches!(self, RoleName::Witness | RoleName::BreakGlass)
    }

    /// The name as the root document has it.
    pub fn as_str(self) -> &'static str {
        match self {
            RoleName::Root => "root",
            RoleName::Render => "render",
            RoleName::Fresh => "fresh",
            RoleName::Witness => "witness",
            RoleName::BreakGlass => "breakglass",
        }
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for RoleName {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let is_named = |name: &RoleName| name.as_str() == text;
        RoleName::ALL.into_iter().find(is_named).ok_or_else(|| UnknownRole(text.chars().take(40).collect()))
    }
}
