//! All hosts of a fleet at once: what is sound, faulty, and waiting.

use std::collections::{BTreeMap, BTreeSet};

use muster_schema::HostId;

use super::{FactsOfFleet, Missing, NotRendered, RenderedHost, render_host};
use crate::model::{Finding, Host, Model, Scope};

/// What a whole fleet renders to.
#[derive(Debug, Default)]
pub struct CheckedFleet {
    /// The host sets.
    pub rendered: BTreeMap<HostId, RenderedHost>,
    /// Hosts that wait, with what they wait for.
    pub waiting: BTreeMap<HostId, Vec<Missing>>,
    /// All faults, each once.
    pub found: Vec<Finding>,
}

/// Renders every host. `found` is what loading found.
pub fn check_fleet(model: &Model, facts: &FactsOfFleet, found: Vec<Finding>) -> CheckedFleet {
    check_hosts(model, model.hosts(), facts, found)
}

/// Renders these hosts of the model, one after the other. `found` is what loading found.
pub fn check_hosts<'m>(
    model: &Model,
    hosts: impl Iterator<Item = &'m Host>,
    facts: &FactsOfFleet,
    found: Vec<Finding>,
) -> CheckedFleet {
    let mut checked = CheckedFleet { found, ..CheckedFleet::default() };
    for host in hosts {
        match render_host(model, &host.id, facts) {
            Ok(rendered) => {
                checked.rendered.insert(host.id.clone(), rendered);
            }
            Err(NotRendered::Waiting { missing, .. }) => {
                checked.waiting.insert(host.id.clone(), missing);
            }
            Err(NotRendered::Faulty { found, .. }) => checked.found.extend(found),
        }
    }
    checked.found = merge_findings(checked.found);
    checked
}

/// Each fault once: where several environments have it, their names unite.
pub fn merge_findings(found: Vec<Finding>) -> Vec<Finding> {
    let mut merged: BTreeMap<Finding, BTreeSet<String>> = BTreeMap::new();
    for finding in found {
        match finding.scope.clone() {
            Scope::Environments(names) => {
                let key = finding.with_scope(Scope::Environments(BTreeSet::new()));
                merged.entry(key).or_default().extend(names);
            }
            _ => {
                merged.entry(finding).or_default();
            }
        }
    }
    let mut found: Vec<Finding> = merged
        .into_iter()
        .map(|(finding, names)| match &finding.scope {
            Scope::Environments(_) => finding.with_scope(Scope::Environments(names)),
            _ => finding,
        })
        .collect();
    found.sort();
    found
}
