//! Checks. They are no configuration: the plan has nothing to do with them, and the worker runs their probes beside it
//! (see `checks`).

use super::{Change, Hands, ResourceError, ResourceType, State, View, Wanted};
use crate::host::Scope;
use muster_schema::resource::{CheckSpec, Existence, Severity};

impl ResourceType for CheckSpec {
    /// Shown and never compared.
    fn wanted(&self, _: Existence, _: Scope) -> Wanted {
        let severity = match self.severity.unwrap_or_default() {
            Severity::Required => "required",
            Severity::Wanted => "wanted",
        };
        Wanted::default().with("probe", Some(self.subject())).with("severity", Some(severity))
    }

    fn observe(&self, _: &str, _: &View<'_>) -> Result<State, ResourceError> {
        Ok(State::present([]))
    }

    fn diff(&self, _: &Wanted, _: &State) -> Result<Option<Change>, ResourceError> {
        Ok(None)
    }

    fn apply(&self, _: &str, _: &Change, _: &Hands<'_>) -> Result<(), ResourceError> {
        Err(ResourceError::Failed("a check changes nothing".to_owned()))
    }

    fn only_probes(&self) -> bool {
        true
    }
}
