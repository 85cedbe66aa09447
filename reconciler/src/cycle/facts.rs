//! Rendering hosts again because facts changed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use muster_schema::HostId;
use tokio::time::Instant;

use super::{CycleError, Orchestrator};

/// Between two renderings because reported facts changed.
const PAUSE: Duration = Duration::from_secs(5);

/// Between two renderings when a host reported for the first time: somebody waits for it.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// What changed in the facts of a fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum FactsChange {
    /// Nothing.
    #[default]
    None,
    /// Something that was reported before.
    Again,
    /// A host reported for the first time.
    First,
}

impl Orchestrator {
    /// When hosts are to be rendered for changed facts, if any changed.
    pub(super) fn facts_due(&self) -> Option<Instant> {
        let pause = match self.facts_change {
            FactsChange::None => return None,
            FactsChange::Again => PAUSE,
            FactsChange::First => FIRST_PAUSE,
        };
        Some(self.facts_rendered.map_or_else(Instant::now, |last| last + pause))
    }

    /// Renders the hosts again whose renders read something that changed.
    /// Returns those with something new.
    ///
    /// # Errors
    /// When rendering or publishing fails; it is due again then.
    pub(super) fn render_for_facts(&mut self) -> Result<Vec<HostId>, CycleError> {
        let changed = self.readers_of_changes();
        self.follow_environments(&changed);
        let published = self.publish_hosts(&changed, &BTreeMap::new())?;
        self.facts_change = FactsChange::None;
        self.facts_rendered = Some(Instant::now());
        Ok(published)
    }

    fn readers_of_changes(&self) -> BTreeSet<HostId> {
        let fleet = self.state.fleet();
        let changed = |id: &&HostId| {
            let host = fleet.hosts.get(*id)?;
            let revision = fleet.assignments.environments.get(host.environment.as_ref()?)?;
            let (model, last) = (self.models.get(revision)?, self.last_renders.get(*id)?);
            Some(!last.reads.still_hold(model, &self.facts))
        };
        self.last_renders.keys().filter(|id| changed(id) == Some(true)).cloned().collect()
    }

    /// Hosts that a fault held at an older revision try their environment's again.
    fn follow_environments(&self, hosts: &BTreeSet<HostId>) {
        let mut fleet = self.state.fleet_mut();
        for id in hosts {
            fleet.assignments.hosts.remove(id);
            let environment = fleet.hosts.get(id).and_then(|host| host.environment.clone());
            let revision = environment.and_then(|name| fleet.assignments.environments.get(&name).cloned());
            if let (Some(host), Some(revision)) = (fleet.hosts.get_mut(id), revision) {
                host.publishing |= host.assigned.as_ref() != Some(&revision);
                host.assigned = Some(revision);
            }
        }
    }
}
