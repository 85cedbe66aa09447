//! What the orchestrator states of each host.

use std::collections::BTreeSet;

use muster_schema::condition::{Condition, ConditionStatus};
use muster_schema::state::{Contact, Health, Sync};
use muster_schema::{HostId, Timestamp};

use super::{FleetStatus, HostStatus};

#[cfg(test)]
mod tests;

/// States the conditions of all hosts at `now`, and returns the hosts of which
/// something else is stated than before: their files are to be written anew.
///
/// This notices what no message tells, such as that a host is lost.
pub fn fold_conditions(fleet: &mut FleetStatus, now: Timestamp) -> BTreeSet<HostId> {
    let mut changed = BTreeSet::new();
    for (id, host) in &mut fleet.hosts {
        if fold_host_conditions(host, now) {
            changed.insert(id.clone());
        }
    }
    changed
}

fn fold_host_conditions(host: &mut HostStatus, now: Timestamp) -> bool {
    let mut changed = false;
    for mut stated in host_conditions(host, now) {
        let held = host.conditions.iter_mut().find(|held| held.r#type == stated.r#type);
        match held {
            Some(held) => {
                if held.status == stated.status {
                    stated.last_transition = held.last_transition;
                }
                if *held != stated {
                    *held = stated;
                    changed = true;
                }
            }
            None => {
                host.conditions.push(stated);
                changed = true;
            }
        }
    }
    changed
}

/// `Synced`, `Healthy` and `Reachable`, one for each axis.
fn host_conditions(host: &HostStatus, now: Timestamp) -> [Condition; 3] {
    let axes = host.committed_axes(now);
    // Not the newest revision: one that does not touch the host must not
    // rewrite its file.
    let revision = host.desired.as_ref().map(|desired| desired.changed_at.clone());
    let state = |r#type: &str, status, reason: String, message: String| Condition {
        r#type: r#type.to_owned(),
        status,
        reason,
        message,
        observed_revision: revision.clone(),
        last_transition: now,
    };
    let synced = match axes.sync {
        Sync::Synced => (ConditionStatus::True, "the applied content is that of its revision"),
        Sync::OutOfSync => (ConditionStatus::False, "the host does not have all of its revision"),
        Sync::Unknown => (ConditionStatus::Unknown, "the host has not said what it has"),
    };
    let healthy = match axes.health {
        Health::Healthy => ConditionStatus::True,
        Health::Unknown => ConditionStatus::Unknown,
        Health::Progressing | Health::Pending | Health::Degraded | Health::Suspended => ConditionStatus::False,
    };
    let reachable = match axes.contact {
        Contact::Live | Contact::Stale => (ConditionStatus::True, "the host reports"),
        Contact::Lost => (ConditionStatus::False, "silent for more than 15 minutes"),
        Contact::NeverSeen => (ConditionStatus::Unknown, "the host has not reported yet"),
    };
    let reason = if axes.reason.is_empty() { axes.health.to_string() } else { axes.reason };
    [
        state("Synced", synced.0, axes.sync.to_string(), synced.1.to_owned()),
        state("Healthy", healthy, reason, axes.message),
        state("Reachable", reachable.0, axes.contact.to_string(), reachable.1.to_owned()),
    ]
}
