//! What revisions declare of hosts, and whose keys count.
//!
//! A host has what its assigned revision says. Its key is also the business of the newest verified revision: one that
//! this does not name any more counts no longer, whatever holds the environment back. It gives nobody a key before it
//! is assigned.

use std::collections::BTreeSet;

use muster_schema::{CommitId, HostId, PublicKey};

use super::Orchestrator;
use super::bind::bindings_by_host;
use crate::audit::Decision;
use crate::events::EventKind;
use crate::io::clock;
use crate::model::{Host, Model};
use crate::status::Binding;

impl Orchestrator {
    /// Takes keys back that the anchor does not name: it may be newer than what is known of the hosts. Where it
    /// cannot be read yet, the first reconcile does so.
    pub(super) fn withdraw_keys_of_before(&mut self) {
        let Some(anchor) = self.assignments().anchor else { return };
        match self.load(&anchor) {
            Ok((newest, _)) => {
                self.withdraw_keys(&newest, &anchor);
                self.newest = Some((anchor, newest));
            }
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "the anchor cannot be read yet"),
        }
    }

    /// Takes the keys back that `newest`, at `revision`, does not name any more. What a host without a key said of
    /// itself is forgotten, so that no other host goes on being rendered with it. Returns the hosts.
    pub(super) fn withdraw_keys(&mut self, newest: &Model, revision: &CommitId) -> Vec<HostId> {
        self.state.fleet_mut().tokens = newest.tokens().to_vec();
        self.settle_bindings(newest);
        let bindings = bindings_by_host(&self.state.fleet());
        let mut withdrawn = Vec::new();
        let mut silenced = Vec::new();
        for (id, host) in &mut self.state.fleet_mut().hosts {
            let Some(named) = newest.host(id).filter(|named| !named.key_unread) else { continue };
            let named_key = named.key.or_else(|| bindings.get(id).map(|binding| binding.key));
            if host.key.is_none() || named_key == host.key {
                continue;
            }
            withdrawn.extend(host.set_key(None).map(|key| (id.clone(), key, revision.clone())));
            if named_key.is_none() && host.facts.take().is_some() {
                silenced.push(id.clone());
            }
            self.unsaved.insert(id.clone());
        }
        silenced.iter().for_each(|id| self.facts.remove(id));
        for (id, key, _) in &withdrawn {
            let message = format!("the key {} counts no more: its file does not name it", key.fingerprint());
            self.state.events.push(clock::now(), EventKind::KeyRevoked, Some(id.clone()), message);
        }
        let hosts = withdrawn.iter().map(|(id, ..)| id.clone()).collect();
        self.note_keys(withdrawn, Decision::Deny, "Revoked");
        hosts
    }

    /// Takes over what the assigned revisions declare, and who a host is by a token; returns the declared hosts.
    pub(super) fn declare_hosts(&mut self, newest: &Model) -> BTreeSet<HostId> {
        let (mut declared, mut approved) = (BTreeSet::new(), Vec::new());
        let mut fleet = self.state.fleet_mut();
        let bindings = bindings_by_host(&fleet);
        let assignments = fleet.assignments.clone();
        for (revision, model) in &self.models {
            for host in model.hosts() {
                if assignments.revision_of(&host.id, &host.environment) != Some(revision) {
                    continue;
                }
                declared.insert(host.id.clone());
                let status = fleet.hosts.entry(host.id.clone()).or_default();
                status.environment = Some(host.environment.to_string());
                status.labels = host.labels.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
                let binding = binding_that_counts(bindings.get(&host.id), newest);
                let key = key_that_counts(host, newest).or(binding.map(|binding| binding.key));
                if status.key != key {
                    approved.extend(key.map(|key| (host.id.clone(), key, revision.clone())));
                    status.set_key(key);
                }
                let of_machine = binding.filter(|binding| key == Some(binding.key));
                let of_machine = of_machine.map(|binding| binding.recipient.clone());
                status.recipient = host.recipient.clone().or(of_machine);
                status.on_retire = host.on_retire;
                status.reverting = false;
                status.publishing |= status.assigned.as_ref() != Some(revision);
                status.assigned = Some(revision.clone());
                status.retired = None;
            }
        }
        drop(fleet);
        self.note_keys(approved, Decision::Allow, "Approved");
        declared
    }
}

/// The key of a host by its assigned revision, unless the newest one has taken it back.
fn key_that_counts(assigned: &Host, newest: &Model) -> Option<PublicKey> {
    let named = newest.host(&assigned.id).filter(|named| !named.key_unread);
    assigned.key.filter(|key| named.is_none_or(|named| named.key == Some(*key)))
}

/// A host's binding to a machine, unless the newest revision gives the host another key.
fn binding_that_counts<'b>(binding: Option<&'b Binding>, newest: &Model) -> Option<&'b Binding> {
    let binding = binding?;
    let named = newest.host(&binding.host).filter(|named| !named.key_unread);
    Some(binding).filter(|binding| named.and_then(|named| named.key).is_none_or(|key| key == binding.key))
}
