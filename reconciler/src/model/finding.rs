//! A fault of the repository, as a person is told it.

use std::fmt;

pub use muster_schema::fleet_api::FindingScope as Scope;
use serde::Serialize;

use super::Place;

/// One fault: where, what, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Finding {
    /// Where the fault is.
    #[serde(flatten)]
    pub place: Place,
    /// What is wrong, in one sentence without a full stop.
    pub reason: String,
    /// What to do about it, if that can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// What the fault holds back.
    pub scope: Scope,
}

impl Finding {
    /// A fault that holds back the whole fleet, until it is given a narrower scope.
    pub fn new(place: Place, reason: impl Into<String>) -> Finding {
        Finding { place, reason: reason.into(), hint: None, scope: Scope::Fleet }
    }

    /// The same fault with a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Finding {
        self.hint = Some(hint.into());
        self
    }

    /// The same fault, holding back `scope`.
    #[must_use]
    pub fn with_scope(mut self, scope: Scope) -> Finding {
        self.scope = scope;
        self
    }

    /// Whether the fault holds back hosts of `environment` as a whole.
    pub fn holds_environment(&self, environment: &str) -> bool {
        match &self.scope {
            Scope::Fleet => true,
            Scope::Environments(names) => names.contains(environment),
            Scope::Host(_) => false,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)?;
        match &self.hint {
            Some(hint) => write!(f, ", {hint}"),
            None => Ok(()),
        }
    }
}
