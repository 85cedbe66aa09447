//! The difference of two renders, per host, grouped by identical change: what a change of the repository does.

mod content;
mod markdown;
mod resource;
mod text;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use muster_schema::document::OnRetire;
use muster_schema::{Address, HostId};
use serde::Serialize;

pub use content::ContentChange;
pub use markdown::{DEFAULT_MAX_BYTES, LEAST_MAX_BYTES, MarkdownOptions, render_markdown};
pub use resource::{AttributeChange, ResourceChange, changes_of, reactions_of};
pub use text::{change_text, detail_lines, render_text};

use crate::model::{Finding, Host, Model};
use crate::render::{FactsOfFleet, Missing, NotRendered, RenderedHost, merge_findings, render_host};

/// What a change of the repository does to a fleet.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FleetPlan {
    /// What changes, each with the hosts on which it is the same; what goes away comes first.
    pub changes: Vec<Grouped<ResourceChange>>,
    /// What reacts to these changes.
    pub reactions: Vec<Grouped<Reaction>>,
    /// What becomes of hosts as such.
    pub hosts: Vec<Grouped<HostChange>>,
    /// Hosts whose difference cannot be told, for facts are missing.
    pub waiting: BTreeMap<HostId, Vec<Missing>>,
    /// Faults of the new side.
    pub findings: Vec<Finding>,
    /// Hosts of the new side.
    pub host_count: usize,
}

/// Something, and the hosts that it is the same for.
#[derive(Debug, Clone, Serialize)]
pub struct Grouped<T> {
    /// What.
    #[serde(flatten)]
    pub what: T,
    /// Where.
    pub hosts: BTreeSet<HostId>,
}

/// A resource that reacts to a change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Reaction {
    /// What it does.
    pub reaction: ReactionKind,
    /// The resource.
    pub address: Address,
}

/// What a resource does when another changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReactionKind {
    /// A service restarts.
    Restarts,
    /// A service reloads.
    Reloads,
    /// A command runs.
    Runs,
}

/// What becomes of a host as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "host_change", rename_all = "snake_case")]
pub enum HostChange {
    /// It leaves the repository: its agent stops, the host stays as it is.
    Retired,
    /// It leaves the repository: its agent puts back what it found.
    RetiredAndReverted,
    /// It is new.
    Declared,
    /// It gets a key, and is published from then on.
    Approved,
    /// Its key changes.
    Rekeyed,
    /// It loses its key, and is published no longer.
    Unapproved,
    /// It moves to another environment.
    Moved,
}

impl FleetPlan {
    /// Whether nothing changes, as far as it can be told.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.hosts.is_empty()
    }
}

/// Plans the way from one repository to another. `found` is what loading the new one found.
pub fn plan_fleet(base: &Model, head: &Model, facts: &FactsOfFleet, found: Vec<Finding>) -> FleetPlan {
    plan_hosts(base, head, head.hosts(), facts, found)
}

/// As [`plan_fleet`], with the hosts of `head` one after the other as `hosts` gives them.
pub fn plan_hosts<'m>(
    base: &Model,
    head: &Model,
    hosts: impl Iterator<Item = &'m Host>,
    facts: &FactsOfFleet,
    found: Vec<Finding>,
) -> FleetPlan {
    let held: BTreeSet<&str> = head
        .environments()
        .map(AsRef::as_ref)
        .filter(|name| found.iter().any(|finding| finding.holds_environment(name)))
        .collect();
    let mut planning = Planning { findings: found.clone(), ..Planning::default() };
    // Of a faulty environment nothing is published, so nothing changes.
    for host in hosts.filter(|host| !held.contains(host.environment.as_ref())) {
        planning.plan_host(base, head, facts, host);
    }
    // No host is retired by a faulty revision.
    let leaving = base.hosts().filter(|host| found.is_empty() && head.host(&host.id).is_none());
    for host in leaving {
        let change = match host.on_retire {
            OnRetire::Keep => HostChange::Retired,
            OnRetire::Revert => HostChange::RetiredAndReverted,
        };
        planning.hosts.entry(change).or_default().insert(host.id.clone());
    }
    planning.finish(head.hosts().count())
}

#[derive(Default)]
struct Planning {
    /// By the JSON of what tells identical changes.
    changes: BTreeMap<String, Grouped<ResourceChange>>,
    reactions: BTreeMap<Reaction, BTreeSet<HostId>>,
    hosts: BTreeMap<HostChange, BTreeSet<HostId>>,
    waiting: BTreeMap<HostId, Vec<Missing>>,
    findings: Vec<Finding>,
}

impl Planning {
    fn plan_host(&mut self, base: &Model, head: &Model, facts: &FactsOfFleet, host: &Host) {
        let before = base.host(&host.id);
        for change in host_changes(before, host) {
            self.hosts.entry(change).or_default().insert(host.id.clone());
        }
        let old = before.map(|host| render_host(base, &host.id, facts));
        let unchanged = match &old {
            Some(Ok(rendered)) => rendered.reads.still_hold(head, facts),
            _ => false,
        };
        if unchanged {
            return;
        }
        let new = match render_host(head, &host.id, facts) {
            Ok(rendered) => rendered,
            Err(NotRendered::Faulty { found, .. }) => return self.findings.extend(found),
            Err(NotRendered::Waiting { missing, .. }) => {
                self.waiting.insert(host.id.clone(), missing);
                return;
            }
        };
        match old {
            Some(Err(NotRendered::Waiting { missing, .. })) => _ = self.waiting.insert(host.id.clone(), missing),
            // What was faulty before had no host set to compare with; all of the new one is told.
            Some(Err(NotRendered::Faulty { .. })) | None => self.note(&host.id, None, &new),
            Some(Ok(old)) => self.note(&host.id, Some(&old), &new),
        }
    }

    fn note(&mut self, host: &HostId, old: Option<&RenderedHost>, new: &RenderedHost) {
        let changes = changes_of(old, new);
        for reaction in reactions_of(&changes, new) {
            self.reactions.entry(reaction).or_default().insert(host.clone());
        }
        for change in changes {
            let key = serde_json::to_string(&change.essence()).unwrap_or_default();
            let grouped = self.changes.entry(key).or_insert_with(|| Grouped { what: change, hosts: BTreeSet::new() });
            grouped.hosts.insert(host.clone());
        }
    }

    fn finish(self, host_count: usize) -> FleetPlan {
        let mut changes: Vec<Grouped<ResourceChange>> = self.changes.into_values().collect();
        changes.sort_by(|a, b| a.what.rank().cmp(&b.what.rank()).then_with(|| a.what.address.cmp(&b.what.address)));
        FleetPlan {
            changes,
            reactions: grouped(self.reactions),
            hosts: grouped(self.hosts),
            waiting: self.waiting,
            findings: merge_findings(self.findings),
            host_count,
        }
    }
}

fn grouped<T>(hosts: BTreeMap<T, BTreeSet<HostId>>) -> Vec<Grouped<T>> {
    hosts.into_iter().map(|(what, hosts)| Grouped { what, hosts }).collect()
}

fn host_changes(before: Option<&Host>, host: &Host) -> Vec<HostChange> {
    let Some(before) = before else { return vec![HostChange::Declared] };
    let key = match (before.key, host.key) {
        (None, Some(_)) => Some(HostChange::Approved),
        (Some(_), None) => Some(HostChange::Unapproved),
        (Some(old), Some(new)) if old != new => Some(HostChange::Rekeyed),
        _ => None,
    };
    let moved = (before.environment != host.environment).then_some(HostChange::Moved);
    key.into_iter().chain(moved).collect()
}
