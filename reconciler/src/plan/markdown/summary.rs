//! The first line of a comment.

use std::collections::BTreeSet;

use muster_schema::{Collection, HostId};

use super::block::is_deletion;
use super::count;
use crate::plan::resource::ChangeKind;
use crate::plan::{FleetPlan, ReactionKind, ResourceChange};

/// `40 of 42 hosts, 3 changes, 1 deletion, 2 restarts`, each counted once for all hosts on which it is the same.
pub(super) fn summary(plan: &FleetPlan) -> String {
    let faults = match plan.findings.len() {
        0 => String::new(),
        faults => format!("{}; ", count(faults, "fault")),
    };
    let untold = match plan.waiting.len() {
        0 => String::new(),
        waiting => format!("; {} cannot be told", count(waiting, "host")),
    };
    if plan.is_empty() {
        return format!("{faults}no changes on {}{untold}", count(plan.host_count, "host"));
    }
    let of_resources = plan.changes.iter().flat_map(|grouped| &grouped.hosts);
    let hosts: BTreeSet<&HostId> = plan.hosts.iter().flat_map(|grouped| &grouped.hosts).chain(of_resources).collect();
    let removed = plan.changes.iter().filter(|grouped| matches!(grouped.what.kind, ChangeKind::Removed { .. })).count();
    let leaving = plan.hosts.iter().filter(|grouped| is_deletion(grouped.what)).count();
    let all = plan.changes.len() + plan.hosts.len();
    let reacting = |kind| plan.reactions.iter().filter(|grouped| grouped.what.reaction == kind).count();
    let commands = plan.changes.iter().filter(|grouped| may_run(&grouped.what)).count();
    let mut parts = vec![
        count(hosts.len(), "host"),
        count(all - removed - leaving, "change"),
        count(removed + leaving, "deletion"),
        count(reacting(ReactionKind::Restarts), "restart"),
    ];
    let rare = [(reacting(ReactionKind::Reloads), "reload"), (reacting(ReactionKind::Runs) + commands, "command run")];
    parts.extend(rare.into_iter().filter(|(number, _)| *number > 0).map(|(number, what)| count(number, what)));
    format!("{faults}{}{untold}", parts.join(", "))
}

/// Whether a command that is new or another may run.
pub(super) fn may_run(change: &ResourceChange) -> bool {
    change.address.collection() == Collection::Commands && !matches!(change.kind, ChangeKind::Removed { .. })
}
