//! `fleet.yaml`.

use std::collections::BTreeMap;

use muster_schema::state::{Contact, Health, ResourceState, Sync};
use muster_schema::{CommitId, FleetName, HostId};
use serde::{Deserialize, Serialize};

use super::host_file::ConditionLine;
use super::worst::WorstHost;
use crate::status::inert_text::{MAX_CHARACTERS, inert_line};
use crate::status::{Axes, FleetStatus};

/// The most findings that the file lists.
const MAX_FINDINGS: usize = 100;

/// What the file holds: counts, and the hosts that need someone.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FleetFile {
    pub(super) fleet: FleetName,
    /// The tip that was last looked at, verified or not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) attempted: Option<CommitId>,
    pub(super) conditions: Vec<ConditionLine>,
    hosts: usize,
    sync: BTreeMap<Sync, usize>,
    health: BTreeMap<Health, usize>,
    contact: BTreeMap<Contact, usize>,
    resources: BTreeMap<ResourceState, u64>,
    /// Percent of the resources that count, with one decimal.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    compliant_percent: Option<String>,
    /// Hosts of which every resource that counts is compliant.
    compliant_hosts: usize,
    /// Agents that wait for approval.
    pending: usize,
    findings: Vec<FindingLine>,
    /// Findings beyond those listed.
    more_findings: usize,
    worst: Vec<WorstHost>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FindingLine {
    place: String,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    hint: Option<String>,
}

impl FleetFile {
    pub(super) fn of(fleet: &FleetStatus, axes: &BTreeMap<&HostId, Axes>, worst: &[WorstHost]) -> Self {
        let inert = |text: &str| inert_line(text, MAX_CHARACTERS);
        let findings = fleet.findings.iter().take(MAX_FINDINGS).map(|finding| FindingLine {
            place: inert(&finding.place.to_string()),
            reason: inert(&finding.reason),
            hint: finding.hint.as_deref().map(inert),
        });
        let resources = sum_resources(fleet);
        Self {
            fleet: fleet.fleet.clone(),
            attempted: fleet.attempted.clone(),
            conditions: fleet.conditions.iter().map(ConditionLine::of).collect(),
            hosts: fleet.hosts.len(),
            sync: count(axes.values().map(|axes| axes.sync)),
            health: count(axes.values().map(|axes| axes.health)),
            contact: count(axes.values().map(|axes| axes.contact)),
            compliant_percent: compliant_percent(&resources),
            compliant_hosts: fleet.hosts.values().filter(|host| is_compliant(&host.counts)).count(),
            resources,
            pending: fleet.pending.len(),
            findings: findings.collect(),
            more_findings: fleet.findings.len().saturating_sub(MAX_FINDINGS),
            worst: worst.to_vec(),
        }
    }
}

/// How often each value occurs.
pub(super) fn count<T: Ord>(values: impl Iterator<Item = T>) -> BTreeMap<T, usize> {
    let mut counts = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_insert(0) += 1;
    }
    counts
}

/// The resources of the fleet by state.
pub(super) fn sum_resources(fleet: &FleetStatus) -> BTreeMap<ResourceState, u64> {
    let mut sums = BTreeMap::new();
    for (&state, &count) in fleet.hosts.values().flat_map(|host| &host.counts) {
        *sums.entry(state).or_insert(0) += u64::from(count);
    }
    sums
}

/// (compliant + repaired) / (all − not_applicable − waived), with one decimal
/// and rounded down: 100.0 means all of them.
pub(super) fn compliant_percent(resources: &BTreeMap<ResourceState, u64>) -> Option<String> {
    let (good, all) = counted(resources.iter().map(|(state, count)| (*state, *count)));
    let mille = good.saturating_mul(1000).checked_div(all)?;
    Some(format!("{}.{}", mille / 10, mille % 10))
}

fn is_compliant(counts: &BTreeMap<ResourceState, u32>) -> bool {
    let (good, all) = counted(counts.iter().map(|(state, count)| (*state, u64::from(*count))));
    good == all && !counts.is_empty()
}

fn counted(counts: impl Iterator<Item = (ResourceState, u64)>) -> (u64, u64) {
    use ResourceState::{Compliant, NotApplicable, Repaired, Waived};
    counts.fold((0_u64, 0_u64), |(good, all), (state, count)| match state {
        Compliant | Repaired => (good.saturating_add(count), all.saturating_add(count)),
        NotApplicable | Waived => (good, all),
        _ => (good, all.saturating_add(count)),
    })
}
