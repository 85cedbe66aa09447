//! Rendering hosts again because facts changed.

use std::collections::{BTreeMap, BTreeSet};

use muster_schema::HostId;
use tokio::time::Instant;

use super::{CycleError, Orchestrator};
use crate::io::clock;

impl Orchestrator {
    /// When hosts are to be rendered for changed facts, if any changed: the
    /// first change at once, then at most every five seconds.
    pub(super) fn facts_due(&self) -> Option<Instant> {
        self.facts_changed.then(|| Instant::now() + self.facts_pace.wait(clock::now()))
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
        self.facts_changed = false;
        self.facts_pace.committed(clock::now());
        Ok(published)
    }

    fn readers_of_changes(&self) -> BTreeSet<HostId> {
        let fleet = self.state.fleet();
        let changed = |id: &&HostId| {
            let host = fleet.hosts.get(*id)?;
            let revision = fleet.assignments.environments.get(host.environment.as_ref()?)?;
            let (model, reads) = (self.models.get(revision)?, self.reads.get(*id)?);
            Some(!reads.still_hold(model, &self.facts))
        };
        self.reads.keys().filter(|id| changed(id) == Some(true)).cloned().collect()
    }

    /// Hosts that a fault held at an older revision try their environment's again.
    fn follow_environments(&self, hosts: &BTreeSet<HostId>) {
        let mut fleet = self.state.fleet_mut();
        for id in hosts {
            fleet.assignments.hosts.remove(id);
            let environment = fleet.hosts.get(id).and_then(|host| host.environment.clone());
            let revision = environment.and_then(|name| fleet.assignments.environments.get(&name).cloned());
            if let (Some(host), Some(revision)) = (fleet.hosts.get_mut(id), revision) {
                host.assigned = Some(revision);
            }
        }
    }
}
