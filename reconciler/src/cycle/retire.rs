//! Hosts that have left the repository.

use std::collections::BTreeSet;

use muster_schema::condition::ConditionStatus;
use muster_schema::document::OnRetire;
use muster_schema::head::Head;
use muster_schema::{CommitId, HostId};

use super::{CycleError, Orchestrator};
use crate::bundle::{SignedHead, renew_head, sign_head};
use crate::events::EventKind;
use crate::io::clock;
use crate::io::store::Batch;
use crate::rollout::{leaving_hosts, retirement_is_confirmed};
use crate::status::HostStatus;

impl Orchestrator {
    /// Gives the hosts that left a last head: `renamed` where a declared host
    /// has the same key, else `retired`. Many at once wait for confirmation.
    /// Returns the hosts whose heads changed.
    pub(super) fn retire_hosts(
        &mut self,
        declared: &BTreeSet<HostId>,
        messages: &[&str],
        before: Option<&CommitId>,
    ) -> Result<Vec<HostId>, CycleError> {
        let anchor = self.assignments().anchor;
        let leaving = {
            let fleet = self.state.fleet();
            let leaving = leaving_hosts(&fleet, declared);
            let published = fleet.hosts.values().filter(|host| host.desired.is_some()).count();
            let named: Vec<&CommitId> = before.into_iter().chain(&anchor).collect();
            let confirmed = retirement_is_confirmed(leaving.len(), published, messages, &named);
            if confirmed { Ok(leaving) } else { Err(leaving.len()) }
        };
        let Some(anchor) = anchor else { return Ok(Vec::new()) };
        let leaving = match leaving {
            Ok(leaving) => leaving,
            Err(count) => {
                let message = format!(
                    "{count} hosts would be retired; a signed commit with the trailer 'Muster-Confirm: {anchor} {count}' confirms it"
                );
                self.state_condition("RetirementsConfirmed", ConditionStatus::False, "Unconfirmed", &message, &anchor);
                return Ok(Vec::new());
            }
        };
        self.state_condition("RetirementsConfirmed", ConditionStatus::True, "Confirmed", "", &anchor);
        let mut changed = Vec::new();
        let mut reverting = Vec::new();
        for id in leaving {
            let Some(head) = self.heads.get(&id) else { continue };
            let renamed = self.host_with_key_of(head, declared);
            if renamed.is_none() && self.is_to_revert(&id) {
                reverting.push(head.host.clone());
                continue;
            }
            let last = renew_head(head, anchor.clone(), clock::now(), self.config.head_life);
            let last = sign_head(Head { retired: renamed.is_none(), renamed, ..last }, self.keys.fresh.as_ref())?;
            changed.push(last);
        }
        let mut hinted = self.publish_last(&changed)?;
        hinted.extend(reverting.iter().map(|host| host.id.clone()));
        self.publish_nothing(reverting.clone(), &anchor)?;
        for host in reverting {
            self.take_reverting(&host.id, &anchor);
        }
        Ok(hinted)
    }

    /// Gives a last head to the hosts that have put back what they found.
    /// Returns them.
    ///
    /// # Errors
    /// When a signer or the tree fails; it is to be tried again.
    pub(super) fn retire_reverted(&mut self) -> Result<Vec<HostId>, CycleError> {
        let done: Vec<HostId> = {
            let fleet = self.state.fleet();
            let reverted = fleet
                .hosts
                .iter()
                .filter(|(id, host)| host.reverting && host.is_synced() && !self.awaiting.contains_key(*id));
            reverted.map(|(id, _)| id.clone()).collect()
        };
        let mut last = Vec::new();
        for head in done.iter().filter_map(|id| self.heads.get(id)) {
            let head = renew_head(head, head.revision.clone(), clock::now(), self.config.head_life);
            last.push(sign_head(Head { retired: true, ..head }, self.keys.fresh.as_ref())?);
        }
        self.publish_last(&last)?;
        Ok(done)
    }

    /// Writes down and publishes the last heads of hosts, and answers whose they are.
    fn publish_last(&mut self, heads: &[SignedHead]) -> Result<Vec<HostId>, CycleError> {
        if heads.is_empty() {
            return Ok(Vec::new());
        }
        self.note_retired(heads)?;
        let mut batch = Batch::default();
        heads.iter().for_each(|head| batch.head(head));
        self.publish_batch(&batch)?;
        for head in heads {
            self.take_retirement(&head.head().host.id, head.head());
        }
        Ok(heads.iter().map(|head| head.head().host.id.clone()).collect())
    }

    /// Whether a host that leaves is to put back what it found: its last
    /// declaration says so, and it has something from us.
    fn is_to_revert(&self, id: &HostId) -> bool {
        let fleet = self.state.fleet();
        let has_something = |host: &HostStatus| {
            host.applied.is_some() && host.desired.as_ref().is_some_and(|desired| desired.resources > 0)
        };
        fleet.hosts.get(id).is_some_and(|host| host.on_retire == OnRetire::Revert && has_something(host))
    }

    /// A host that left is told to put back what it found, and is retired after that.
    fn take_reverting(&mut self, id: &HostId, revision: &CommitId) {
        if let Some(host) = self.state.fleet_mut().hosts.get_mut(id) {
            host.reverting = true;
            host.environment = None;
            host.assigned = Some(revision.clone());
        }
        self.unsaved.insert(id.clone());
        let message = "has left the repository; the agent puts back what it found";
        self.state.events.push(clock::now(), EventKind::HostRetired, Some(id.clone()), message);
    }

    /// The declared host that has the key of `head`'s host: its new name.
    fn host_with_key_of(&self, head: &Head, declared: &BTreeSet<HostId>) -> Option<HostId> {
        let fleet = self.state.fleet();
        let has_key = |id: &&HostId| fleet.hosts.get(*id).is_some_and(|host| host.key == Some(head.host.key));
        declared.iter().find(has_key).cloned()
    }

    fn take_retirement(&mut self, id: &HostId, head: &Head) {
        let message = match &head.renamed {
            Some(new) => format!("renamed to {new}"),
            None if self.state.fleet().hosts.get(id).is_some_and(|host| host.reverting) => {
                "the agent has put back what it found, and stops".to_owned()
            }
            None => "has left the repository; the agent stops and leaves the host as it is".to_owned(),
        };
        if let Some(host) = self.state.fleet_mut().hosts.get_mut(id) {
            host.retired = Some(head.issued);
            host.reverting = false;
            host.environment = None;
            host.hold = None;
        }
        self.awaiting.remove(id);
        self.heads.insert(id.clone(), head.clone());
        self.unsaved.insert(id.clone());
        self.state.events.push(clock::now(), EventKind::HostRetired, Some(id.clone()), message);
    }
}
