//! `README.md`: the fleet at a glance, as a Git host shows it.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};

use muster_schema::HostId;

use super::fleet_file::{compliant_percent, count, sum_resources};
use super::worst::{MAX_WORST, WorstHost};
use crate::status::inert_text::markdown_code;
use crate::status::{Axes, FleetStatus};

/// The most findings shown.
const MAX_FINDINGS: usize = 20;
/// The longest text in a table, in characters.
const MAX_TEXT: usize = 160;

pub(super) fn render_readme(fleet: &FleetStatus, axes: &BTreeMap<&HostId, Axes>, worst: &[WorstHost]) -> String {
    let mut page = String::new();
    // Writing into a String cannot fail.
    let _ = write_page(&mut page, fleet, axes, worst);
    page
}

fn write_page(
    page: &mut String,
    fleet: &FleetStatus,
    axes: &BTreeMap<&HostId, Axes>,
    worst: &[WorstHost],
) -> std::fmt::Result {
    writeln!(page, "# Fleet {}\n", code(fleet.fleet.as_str()))?;
    let compliant = compliant_percent(&sum_resources(fleet))
        .map_or(String::new(), |percent| format!(", {percent} % of their resources compliant"));
    writeln!(page, "{} hosts{compliant}.\n", fleet.hosts.len())?;

    writeln!(page, "| axis | hosts |\n|---|---|")?;
    writeln!(page, "| sync | {} |", counts(axes.values().map(|axes| axes.sync)))?;
    writeln!(page, "| health | {} |", counts(axes.values().map(|axes| axes.health)))?;
    writeln!(page, "| contact | {} |", counts(axes.values().map(|axes| axes.contact)))?;

    write_revisions(page, fleet)?;
    write_conditions(page, fleet)?;
    write_findings(page, fleet)?;
    write_worst(page, worst)?;
    if !fleet.pending.is_empty() {
        writeln!(
            page,
            "\n{} agents wait for approval: see [enrolment/pending](enrolment/pending).",
            fleet.pending.len()
        )?;
    }
    writeln!(page, "\nWritten by muster; see [fleet.yaml](fleet.yaml) and [hosts](hosts).")
}

fn write_revisions(page: &mut String, fleet: &FleetStatus) -> std::fmt::Result {
    let assignments = &fleet.assignments;
    writeln!(page, "\n## Revisions\n\n| environment | revision |\n|---|---|")?;
    if let Some(anchor) = &assignments.anchor {
        writeln!(page, "| newest verified | {} |", code(anchor.short()))?;
    }
    if let Some(attempted) = fleet.attempted.as_ref().filter(|tip| Some(*tip) != assignments.anchor.as_ref()) {
        writeln!(page, "| newest looked at, refused | {} |", code(attempted.short()))?;
    }
    for (environment, revision) in &assignments.environments {
        writeln!(page, "| {} | {} |", code(environment), code(revision.short()))?;
    }
    if !assignments.hosts.is_empty() {
        writeln!(page, "\n{} hosts have another revision than their environment.", assignments.hosts.len())?;
    }
    Ok(())
}

fn write_conditions(page: &mut String, fleet: &FleetStatus) -> std::fmt::Result {
    if fleet.conditions.is_empty() {
        return Ok(());
    }
    writeln!(page, "\n## Conditions\n\n| condition | status | reason | message |\n|---|---|---|---|")?;
    for condition in &fleet.conditions {
        let (status, message) = (format!("{:?}", condition.status), code(&condition.message));
        writeln!(page, "| {} | {status} | {} | {message} |", code(&condition.r#type), code(&condition.reason))?;
    }
    Ok(())
}

fn write_findings(page: &mut String, fleet: &FleetStatus) -> std::fmt::Result {
    if fleet.findings.is_empty() {
        return Ok(());
    }
    writeln!(page, "\n## Findings\n\n| place | fault |\n|---|---|")?;
    for finding in fleet.findings.iter().take(MAX_FINDINGS) {
        writeln!(page, "| {} | {} |", code(&finding.place.to_string()), code(&finding.reason))?;
    }
    match fleet.findings.len().saturating_sub(MAX_FINDINGS) {
        0 => Ok(()),
        more => writeln!(page, "\nand {more} more."),
    }
}

fn write_worst(page: &mut String, worst: &[WorstHost]) -> std::fmt::Result {
    if worst.is_empty() {
        return Ok(());
    }
    let title =
        if worst.len() == MAX_WORST { "The 50 hosts that most need someone" } else { "Hosts that need someone" };
    writeln!(
        page,
        "\n## {title}\n\n| host | environment | sync | health | contact | why |\n|---|---|---|---|---|---|"
    )?;
    for line in worst {
        let environment = line.environment.as_deref().map(code).unwrap_or_default();
        let why = [code(&line.reason), code(&line.message)].join(" ");
        let host = code(line.host.as_str());
        writeln!(
            page,
            "| {host} | {environment} | {} | {} | {} | {} |",
            line.sync,
            line.health,
            line.contact,
            why.trim()
        )?;
    }
    Ok(())
}

/// `12 Healthy, 1 Degraded`.
fn counts<T: Ord + Display>(values: impl Iterator<Item = T>) -> String {
    let parts: Vec<String> = count(values).iter().map(|(value, count)| format!("{count} {value}")).collect();
    parts.join(", ")
}

fn code(text: &str) -> String {
    markdown_code(text, MAX_TEXT)
}
