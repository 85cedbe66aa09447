//! Status commits: of a whole fleet, of 100 hosts, and what one host's change leaves on disk.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use muster_reconciler::io::git::{StatusBranch, init_bare_repository};
use muster_reconciler::io::signer::{FileSigner, Signer};
use muster_reconciler::keys::generate_ssh;
use muster_reconciler::status::{
    ChangedHosts, Desired, FactsRecord, FleetStatus, HostStatus, fold_conditions, fold_facts, fold_report,
    render_status,
};
use muster_schema::facts::{Facts, OsFacts};
use muster_schema::manifest::HostIdentity;
use muster_schema::message::{Body, FactsBody, Message, Party};
use muster_schema::report::{Applied, Report, Transition};
use muster_schema::state::{Cause, Health, ResourceState};
use muster_schema::{CommitId, FleetName, HostId, Sha256Digest, Timestamp};

use super::figures::{Figures, millis, percentile};
use super::large_fleet::{HOSTS, host_name};

const ROUNDS: u64 = 20;
/// Commits over which the growth is averaged.
const GROWTH: u64 = 100;
/// In one month, so that history does not start anew.
const NOW: Timestamp = Timestamp(1_780_000_000_000);

pub(crate) fn measure(figures: &mut Figures) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let bare = folder.path().join("state.git");
    init_bare_repository(&bare)?;
    let key = generate_ssh(&folder.path().join("status"), "status")?;
    let mut branch = StatusBranch::open(&bare, key, None)?;
    let signer = FileSigner::generate(&folder.path().join("host"), "host", None)?;
    let mut fleet = fleet_of(HOSTS, &signer)?;

    let all = commit(&mut branch, &fleet, &ChangedHosts::All, 0)?;
    figures.note("status_commit_10k_s", all.as_secs_f64(), 5.0);
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let changed = change_hosts(&mut fleet, 100, round + 2);
        times.push(commit(&mut branch, &fleet, &changed, round + 1)?);
    }
    times.sort_unstable();
    eprintln!("bench:   the slowest of {ROUNDS} commits: {:.3} ms", millis(percentile(&times, 100)));
    figures.note("status_commit_100_ms", millis(percentile(&times, 50)), 150.0);

    let before = disk_usage(&bare)?;
    for round in 0..GROWTH {
        let changed = change_hosts(&mut fleet, 1, ROUNDS + round + 2);
        commit(&mut branch, &fleet, &changed, ROUNDS + round + 1)?;
    }
    let grown = u32::try_from(disk_usage(&bare)?.saturating_sub(before))?;
    figures.note("status_growth_bytes_per_commit", f64::from(grown) / GROWTH as f64, 20480.0);
    Ok(())
}

/// Renders and commits what changed, durably.
fn commit(branch: &mut StatusBranch, fleet: &FleetStatus, changed: &ChangedHosts, second: u64) -> Result<Duration> {
    let now = Timestamp(NOW.0 + second * 1000);
    let begun = Instant::now();
    let files = render_status(fleet, changed, now)?;
    branch.commit(&files, "status: Update", now)?.context("nothing was committed")?;
    Ok(begun.elapsed())
}

/// Lets some hosts report a drift that was healed.
fn change_hosts(fleet: &mut FleetStatus, count: usize, round: u64) -> ChangedHosts {
    let step = HOSTS / count;
    let offset = usize::try_from(round).unwrap_or(0) * 7;
    let mut changed = BTreeSet::new();
    for number in 0..count {
        let Ok(id) = host_name((number * step + offset) % HOSTS).parse::<HostId>() else { continue };
        let Some(host) = fleet.hosts.get_mut(&id) else { continue };
        let content = Sha256Digest::of(id.as_str().as_bytes());
        let first = host.transitions.back().map_or(1, |last| last.seq + 1);
        let report = report_of(content, host.applied.as_ref(), first);
        let _ = fold_report(host, host.report_seq + 1, report, Timestamp(NOW.0 + round * 1000));
        changed.insert(id);
    }
    ChangedHosts::Some(changed)
}

/// What the files below a folder take on disk, in bytes: whole blocks.
fn disk_usage(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let found = entry.metadata()?;
        bytes += if found.is_dir() { disk_usage(&entry.path())? } else { found.blocks() * 512 };
    }
    Ok(bytes)
}

/// A fleet of healthy hosts that have all reported.
fn fleet_of(hosts: usize, signer: &FileSigner) -> Result<FleetStatus> {
    let revision: CommitId = "a".repeat(40).parse()?;
    let name: FleetName = "lab".parse()?;
    let mut fleet = FleetStatus::new(name.clone());
    fleet.assignments.anchor = Some(revision.clone());
    fleet.assignments.environments.insert("production".into(), revision.clone());
    for number in 0..hosts {
        let id: HostId = host_name(number).parse()?;
        let identity = HostIdentity { id: id.clone(), key: signer.public_key() };
        let content = Sha256Digest::of(id.as_str().as_bytes());
        let mut host = HostStatus {
            environment: Some("production".into()),
            labels: [("role".to_owned(), "web".to_owned())].into(),
            key: Some(signer.public_key()),
            enrolled: true,
            assigned: Some(revision.clone()),
            desired: Some(Desired {
                host: identity.clone(),
                manifest: content,
                content,
                epoch: 1,
                serial: NOW.0,
                changed_at: revision.clone(),
                resources: 40,
            }),
            ..HostStatus::default()
        };
        let applied = Applied { manifest: content, content, epoch: 1, serial: NOW.0, revision: revision.clone() };
        let _ = fold_report(&mut host, 1, report_of(content, Some(&applied), 1), NOW);
        let _ = fold_facts(&mut host, 1, facts_of(&name, identity, signer)?, NOW);
        fleet.hosts.insert(id, host);
    }
    fold_conditions(&mut fleet, NOW);
    Ok(fleet)
}

/// A healthy host's report of one healed drift, the `seq`th.
fn report_of(content: Sha256Digest, applied: Option<&Applied>, seq: u64) -> Report {
    let transition = Transition {
        seq,
        address: format!("files/etc/app-{}/config.yaml", seq % 7).parse().expect("an address"),
        from: Some(ResourceState::Compliant),
        to: Some(ResourceState::Repaired),
        cause: Cause::Corrective,
        message: format!("content, mode of {content}"),
        at: NOW,
        by: None,
    };
    Report {
        applied: applied.cloned(),
        health: Health::Healthy,
        reason: String::new(),
        message: String::new(),
        counts: [(ResourceState::Compliant, 40)].into(),
        deviations: Vec::new(),
        exceptions: Vec::new(),
        transitions: [transition].into(),
        rejections: Vec::new(),
        retired: false,
        break_glass: None,
    }
}

/// Facts as the host signed them.
fn facts_of(fleet: &FleetName, host: HostIdentity, signer: &FileSigner) -> Result<FactsRecord> {
    let address = "192.0.2.7".parse()?;
    let facts = Facts {
        os: OsFacts {
            family: "debian".into(),
            id: "debian".into(),
            version: Some("12".into()),
            codename: Some("bookworm".into()),
        },
        arch: "x86_64".into(),
        cpus: 2,
        memory_mib: 2048,
        hostname: host.id.to_string(),
        address: Some(address),
        addresses: vec![address],
        virtualisation: None,
    };
    let body = FactsBody { agent: "0.1.0".into(), schema: 1, facts };
    let message = Message {
        fleet: fleet.clone(),
        from: Party::Host(host),
        to: Party::Orchestrator,
        id: "0".repeat(32),
        seq: 1,
        issued: NOW,
        expires: NOW,
        in_reply_to: None,
        body: Body::Facts(Box::new(body.clone())),
    };
    let bytes = message.to_bytes()?;
    let signature = signer.sign(&bytes, "muster")?.text().to_owned();
    Ok(FactsRecord { body, bytes, signature })
}
