//! Symbolic links.

use super::entry::{self, Candidacy, TARGET, TYPE};
use super::listing::{self, Listing};
use super::{Change, Hands, ResourceError, ResourceType, State, View, Wanted, change};
use crate::host::{HostPath, Scope};
use crate::vault::Vault;
use muster_schema::resource::{Existence, LinkSpec};

impl ResourceType for LinkSpec {
    fn wanted(&self, existence: Existence, _: Scope) -> Wanted {
        if existence == Existence::Absent {
            return Wanted::absent();
        }
        Wanted::default().with(TYPE, Some("link")).with(TARGET, self.target.clone())
    }

    fn observe(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError> {
        entry::observe_entry(id, true, None, None, view)
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        if *observed == State::Absent {
            return Ok(change::diff_attributes(wanted, observed, |_, a, b| a == b));
        }
        entry::check_replaceable(observed)?;
        let restores_file = !entry::is_link(&wanted.state) && wanted.state != State::Absent;
        if !entry::is_link(observed) && !restores_file && self.force != Some(true) {
            return Err(ResourceError::Blocked("a file stands in its place, and force is not set".to_owned()));
        }
        if wanted.state != State::Absent && entry::differs_in_type(&wanted.state, observed) {
            return Ok(Some(Change { before: observed.clone(), after: wanted.on_new() }));
        }
        Ok(change::diff_attributes(wanted, observed, |_, wanted, observed| wanted == observed))
    }

    fn keep(&self, id: &str, change: &Change, view: &View<'_>, vault: &Vault) -> Result<State, ResourceError> {
        entry::keep_entry(id, change, view, vault)
    }

    fn apply(&self, id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        entry::apply_entry(id, change, Candidacy::default(), hands)
    }

    fn in_sandbox(&self) -> bool {
        true
    }

    fn is_risky(&self, id: &str) -> bool {
        super::risk::is_risky_path(id)
    }

    fn watched_paths(&self, id: &str) -> Vec<HostPath> {
        HostPath::new(id).into_iter().collect()
    }

    fn listing(&self) -> Listing {
        listing::BY_PATH
    }
}
