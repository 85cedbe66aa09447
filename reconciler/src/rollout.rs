//! Which revision each host is to have next, and which hosts have left. Pure.

use std::collections::BTreeSet;

use muster_schema::{CommitId, HostId};

use crate::model::Finding;
use crate::status::{Assignments, FleetStatus};

#[cfg(test)]
mod tests;

/// The share of a fleet that one revision may retire without confirmation, in percent.
const FREE_RETIREMENTS_PERCENT: usize = 5;

/// Assigns `revision` to every environment of it that is sound.
///
/// A faulty environment keeps its last good revision as a whole, the others go
/// on; an environment that is gone is forgotten only by a revision without any
/// fault. Hosts that deviated follow their environment again: if what held
/// them is still there, rendering will say so.
pub fn choose_wave(
    current: &Assignments,
    revision: &CommitId,
    environments: &BTreeSet<String>,
    findings: &[Finding],
) -> Assignments {
    let mut next = current.clone();
    next.anchor = Some(revision.clone());
    let sound = |environment: &String| !findings.iter().any(|finding| finding.holds_environment(environment));
    for environment in environments.iter().filter(|environment| sound(environment)) {
        next.environments.insert(environment.clone(), revision.clone());
    }
    if findings.is_empty() {
        next.environments.retain(|environment, _| environments.contains(environment));
        next.hosts.clear();
    }
    next
}

/// The hosts that have something published and that no assigned revision declares any more,
/// without those that are on their way out already.
pub fn leaving_hosts(fleet: &FleetStatus, declared: &BTreeSet<HostId>) -> BTreeSet<HostId> {
    let leaves = |(id, host): &(&HostId, &crate::status::HostStatus)| {
        host.desired.is_some() && host.retired.is_none() && !host.reverting && !declared.contains(*id)
    };
    fleet.hosts.iter().filter(leaves).map(|(id, _)| id.clone()).collect()
}

/// Whether so many hosts may be retired: few may always, more only where a
/// verified commit message says `Muster-Confirm: <revision> <count>`.
///
/// `revisions` are the ids that the confirmation may name.
pub fn retirement_is_confirmed(leaving: usize, fleet: usize, messages: &[&str], revisions: &[&CommitId]) -> bool {
    let free = (fleet * FREE_RETIREMENTS_PERCENT / 100).max(1);
    let confirms = |line: &str| {
        let mut words = line.strip_prefix("Muster-Confirm:").unwrap_or_default().split_whitespace();
        let (Some(named), Some(count), None) = (words.next(), words.next(), words.next()) else {
            return false;
        };
        let known = named.len() >= 8 && revisions.iter().any(|revision| revision.as_str().starts_with(named));
        known && count.parse() == Ok(leaving)
    };
    leaving <= free || messages.iter().flat_map(|message| message.lines()).any(confirms)
}
