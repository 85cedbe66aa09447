//! Reports: what the host said.

use muster_schema::envelope::{Signature, split_frame};
use muster_schema::head::Head;
use muster_schema::manifest::{HostIdentity, Manifest};
use muster_schema::message::{Body, Message, Party};
use muster_schema::report::Report;
use muster_schema::state::ResourceState;
use muster_schema::{Sha256Digest, Timestamp};

use super::bundle::check_signatures;
use super::{AttestFault, Attestation, Bundle, BundleReader, Proof};

const FOLDER: &str = "reports/";

/// A report as it was kept.
#[derive(Debug, Clone)]
pub struct KeptReport {
    message: Message,
    report: Report,
    bytes: Vec<u8>,
    signature: Signature,
}

/// The reports that `host` signed among kept frames: each once, in the order that it gave them.
pub fn load_reports(frames: &[Vec<u8>], host: &HostIdentity) -> Vec<KeptReport> {
    let load = |frame: &Vec<u8>| {
        let (signature, bytes) = split_frame(frame).ok()?;
        signature.verify(bytes, &host.key).ok()?;
        let (message, report) = load_report(bytes, host).ok()?;
        Some(KeptReport { message, report, bytes: bytes.to_vec(), signature })
    };
    let mut reports: Vec<KeptReport> = frames.iter().filter_map(load).collect();
    reports.sort_by_key(|kept| kept.message.seq);
    reports.dedup_by_key(|kept| kept.message.seq);
    reports
}

/// Of a host's reports, those that tell of `manifest` until a time, from the first one that it was applied; the last
/// one before where it never was; and the one that follows.
pub fn choose_reports(reports: &[KeptReport], manifest: Sha256Digest, at: Timestamp) -> &[KeptReport] {
    let until = reports.iter().take_while(|kept| kept.message.issued <= at).count();
    let applied = |kept: &KeptReport| kept.report.applied.as_ref().is_some_and(|applied| applied.manifest == manifest);
    let first = reports.iter().take(until).position(applied).unwrap_or(until.saturating_sub(1));
    reports.get(first..(until + 1).min(reports.len())).unwrap_or_default()
}

impl Bundle {
    /// Adds reports.
    pub fn put_reports(&mut self, reports: &[KeptReport]) {
        for (index, kept) in reports.iter().enumerate() {
            self.put_signed(&format!("{FOLDER}{:06}.json", index + 1), &kept.bytes, [&kept.signature]);
        }
    }
}

fn load_report(bytes: &[u8], host: &HostIdentity) -> Result<(Message, Report), String> {
    let message = Message::load(bytes).map_err(|error| error.to_string())?;
    if message.from != Party::Host(host.clone()) || message.to != Party::Orchestrator {
        return Err("it is not from this host to the orchestrator".to_owned());
    }
    match message.body.clone() {
        Body::Report(report) => Ok((message, *report)),
        _ => Err("it is no report".to_owned()),
    }
}

/// Verifies the reports of a bundle, and says what they show of the time that is asked about.
pub(super) fn verify_reports(
    reader: &mut BundleReader<'_>,
    index: &Attestation,
    head: &Head,
    manifest: &Manifest,
    proof: &mut Proof,
) -> Result<(), AttestFault> {
    let mut reports: Vec<(Message, Report)> = Vec::new();
    for name in reader.names_in(FOLDER).into_iter().filter(|name| name.ends_with(".json")) {
        let (bytes, signatures) = reader.signed(name)?;
        check_signatures(name, bytes, &signatures, &[head.host.key])?;
        let (message, report) = load_report(bytes, &head.host).map_err(|reason| AttestFault::new(name, reason))?;
        if message.fleet != index.fleet || reports.last().is_some_and(|(last, _)| last.seq >= message.seq) {
            return Err(AttestFault::new(name, "it is of another fleet, or not in the order that the host gave"));
        }
        reports.push((message, report));
    }
    note_gaps(&reports, proof);
    let by = format!("the host's key {}", head.host.key.id());
    let (before, after): (Vec<_>, Vec<_>) = reports.iter().partition(|(message, _)| message.issued <= index.at);
    let host = &index.host;
    let Some((message, report)) = before.last() else {
        proof.lack(format!("that {host} was in that state: no report of it from before {} was kept", index.at));
        return Ok(());
    };
    let is_applied = report.applied.as_ref().is_some_and(|applied| applied.manifest == head.manifest);
    proof.show(
        format!("{}: {host} said, by its own clock: {}", message.issued, describe(report, head.manifest)),
        by.clone(),
    );
    if !is_applied {
        proof.lack(format!(
            "that {host} was in the state of manifest {}: its last report before {} does not say so",
            head.manifest, index.at
        ));
    } else if count_of(report) != manifest.resources.len() {
        proof.lack(format!(
            "that {host} looked at all {} resources: it counted {}",
            manifest.resources.len(),
            count_of(report)
        ));
    }
    match after.first() {
        Some((next, report)) => {
            proof.show(format!("{}: the next that {host} said: {}", next.issued, describe(report, head.manifest)), by)
        }
        None => proof.lack(format!(
            "that nothing changed on {host} between its report of {} and {}: no later report was kept",
            message.issued, index.at
        )),
    }
    Ok(())
}

/// Transitions count up by one, so a report that is missing between two leaves a gap.
fn note_gaps(reports: &[(Message, Report)], proof: &mut Proof) {
    let mut last: Option<u64> = None;
    for transition in reports.iter().flat_map(|(_, report)| &report.transitions) {
        if let Some(before) = last.filter(|before| transition.seq > before.saturating_add(1)) {
            let (from, to) = (before.saturating_add(1), transition.seq.saturating_sub(1));
            proof
                .lack(format!("what the transitions {from} to {to} of the host were: the reports of them are missing"));
        }
        last = Some(transition.seq.max(last.unwrap_or_default()));
    }
}

fn count_of(report: &Report) -> usize {
    report.counts.values().map(|count| *count as usize).sum()
}

fn describe(report: &Report, manifest: Sha256Digest) -> String {
    let applied = match &report.applied {
        Some(applied) if applied.manifest == manifest => "it has applied that manifest".to_owned(),
        Some(applied) => format!("it has applied another manifest, {}", applied.manifest),
        None => "it has applied no manifest".to_owned(),
    };
    let counts: Vec<String> = report
        .counts
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    let counts = if counts.is_empty() { String::new() } else { format!(", {}", counts.join(", ")) };
    let is_bad = |state: ResourceState| !matches!(state, ResourceState::Compliant | ResourceState::Repaired);
    let deviations: Vec<String> = report
        .deviations
        .iter()
        .filter(|resource| is_bad(resource.state))
        .take(5)
        .map(|resource| format!("{} {}", resource.address, resource.state))
        .collect();
    let deviations = if deviations.is_empty() { String::new() } else { format!(" ({})", deviations.join(", ")) };
    format!("{applied}; {}/{}{counts}{deviations}", report.health, report.reason)
}
