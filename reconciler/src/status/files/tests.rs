#![allow(clippy::unwrap_used)]
mod attack;

use std::time::Duration;

use muster_schema::message::Announce;
use muster_schema::report::Rejection;
use muster_schema::state::{Contact, Health};

use super::*;
use crate::io::signer::Signer;
use crate::status::test_fleet::{
    NOW, commit, deviation, facts_of, fleet_of, host_signer, plain_facts, proof_of, report_of,
};
use crate::status::{Pending, fold_conditions, fold_report};

/// The files as a first commit would have them.
fn written(fleet: &FleetStatus) -> BTreeMap<String, Vec<u8>> {
    let rendered = render_status(fleet, &ChangedHosts::All, NOW).unwrap();
    rendered.files.into_iter().filter_map(|(path, content)| Some((path, content?))).collect()
}

fn text<'a>(files: &'a BTreeMap<String, Vec<u8>>, path: &str) -> &'a str {
    std::str::from_utf8(&files[path]).unwrap()
}

#[test]
fn the_status_comes_back_as_it_was() {
    let signer = host_signer();
    let mut fleet = fleet_of(5, &signer);
    fleet.attempted = Some(commit('b'));
    fleet.assignments.hosts.insert("host-3".parse().unwrap(), commit('c'));
    let announce = Announce {
        name: "new".parse().unwrap(),
        recipient: "age1".into(),
        agent: "0.1.0".into(),
        schema: 1,
        facts: plain_facts("new"),
        replaces: None,
        token: None,
    };
    fleet.pending.insert(signer.public_key(), Pending { announce, replaces: None, first_seen: NOW });
    let id: HostId = "host-1".parse().unwrap();
    let host = fleet.hosts.get_mut(&id).unwrap();
    let mut report = report_of(host.desired.as_ref().unwrap().content, 4..90);
    report.deviations.push(deviation("no such package"));
    report.rejections.push(Rejection { code: "BadDigest".into(), message: "x".into(), at: NOW });
    let _ = fold_report(host, 5, report, NOW);
    host.retired = Some(NOW);
    fold_conditions(&mut fleet, NOW);

    let later = NOW.plus(Duration::from_secs(3600));
    let loaded = load_status(&fleet.fleet, &written(&fleet), later);
    assert!(loaded.refused.is_empty(), "{:?}", loaded.refused);
    let mut back = loaded.fleet;
    // Hosts are stale until they are heard of; nothing of it is committed.
    for (id, host) in &mut back.hosts {
        assert_eq!(host.axes(later).contact, Contact::Stale);
        host.last_contact = Some(NOW);
        host.assigned = fleet.hosts[id].assigned.clone();
    }
    assert_eq!(back.hosts[&id].transitions.len(), 50);
    assert_eq!(back, fleet);
    assert_eq!(written(&back), written(&fleet));
}

#[test]
fn a_deviating_host_is_assigned_its_own_revision() {
    let mut fleet = fleet_of(2, &host_signer());
    fleet.assignments.hosts.insert("host-1".parse().unwrap(), commit('c'));
    let back = load_status(&fleet.fleet, &written(&fleet), NOW).fleet;
    let assigned: Vec<_> = back.hosts.values().map(|host| host.assigned.clone().unwrap()).collect();
    assert_eq!(assigned, [commit('a'), commit('c')]);
}

#[test]
fn only_changed_hosts_are_rendered() {
    let fleet = fleet_of(300, &host_signer());
    let changed = ["host-7".parse().unwrap(), "gone".parse().unwrap()].into();
    let rendered = render_status(&fleet, &ChangedHosts::Some(changed), NOW).unwrap();
    let paths: Vec<(&str, bool)> =
        rendered.files.iter().map(|(path, content)| (path.as_str(), content.is_some())).collect();
    let expect = [
        ("README.md", true),
        ("assignments.yaml", true),
        ("enrolment/52/gone.json", false),
        ("enrolment/52/gone.json.minisig", false),
        ("enrolment/f0/host-7.json", false),
        ("enrolment/f0/host-7.json.minisig", false),
        ("facts/52/gone.json", false),
        ("facts/52/gone.json.minisig", false),
        ("facts/f0/host-7.json", true),
        ("facts/f0/host-7.json.minisig", true),
        ("fleet.yaml", true),
        ("hosts/52/gone.yaml", false),
        ("hosts/f0/host-7.yaml", true),
    ];
    let name = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    let (found, wanted): (Vec<_>, Vec<_>) = (
        paths.iter().map(|(path, there)| (name(path), *there)).collect(),
        expect.iter().map(|(path, there)| (name(path), *there)).collect(),
    );
    assert_eq!(found, wanted);
    assert_eq!(rendered.whole_folders, ["enrolment/pending/"]);
}

#[test]
fn time_alone_changes_no_file() {
    let mut fleet = fleet_of(3, &host_signer());
    let before = written(&fleet);
    let later = NOW.plus(Duration::from_secs(600));
    assert!(fold_conditions(&mut fleet, later).is_empty());
    let rendered = render_status(&fleet, &ChangedHosts::All, later).unwrap();
    let after: BTreeMap<_, _> =
        rendered.files.into_iter().filter_map(|(path, content)| Some((path, content?))).collect();
    assert_eq!(after, before);
}

#[test]
fn a_revision_that_does_not_touch_a_host_leaves_its_file() {
    let mut fleet = fleet_of(3, &host_signer());
    let before = written(&fleet);
    fleet.assignments.anchor = Some(commit('b'));
    for revision in fleet.assignments.environments.values_mut() {
        *revision = commit('b');
    }
    for host in fleet.hosts.values_mut() {
        host.assigned = Some(commit('b'));
    }
    assert!(fold_conditions(&mut fleet, NOW).is_empty());
    let changed: Vec<String> =
        written(&fleet).into_iter().filter(|(path, bytes)| before[path] != *bytes).map(|(path, _)| path).collect();
    assert_eq!(changed, ["README.md", "assignments.yaml"]);
}

#[test]
fn lists_at_most_fifty_hosts_worst_first() {
    let mut fleet = fleet_of(120, &host_signer());
    for (n, host) in fleet.hosts.values_mut().enumerate().take(80) {
        let mut report = report_of(host.desired.as_ref().unwrap().content, 0..0);
        report.health = if n % 2 == 0 { Health::Degraded } else { Health::Progressing };
        report.reason = "ApplyFailed".into();
        let _ = fold_report(host, 9, report, NOW);
    }
    let files = written(&fleet);
    let readme = text(&files, "README.md");
    assert_eq!(readme.lines().filter(|line| line.starts_with("| `host-")).count(), 50);
    assert_eq!(readme.matches("| Degraded |").count(), 40);
    assert!(readme.contains("40 Healthy, 40 Progressing, 40 Degraded"), "{readme}");
    assert_eq!(text(&files, "fleet.yaml").matches("- host: ").count(), 50);
}

#[test]
fn percentages_count_what_counts() {
    use fleet_file::compliant_percent;
    use muster_schema::state::ResourceState::{Compliant, Error, NotApplicable, Repaired, Waived};
    assert_eq!(compliant_percent(&[].into()), None);
    assert_eq!(compliant_percent(&[(Compliant, 9_999), (Error, 1)].into()), Some("99.9".into()));
    let counts = [(Compliant, 1), (Repaired, 1), (Error, 2), (NotApplicable, 50), (Waived, 50)].into();
    assert_eq!(compliant_percent(&counts), Some("50.0".into()));
}

#[test]
fn a_damaged_file_is_told_and_the_rest_is_read() {
    let fleet = fleet_of(3, &host_signer());
    let mut files = written(&fleet);
    let path = host_path(&"host-1".parse().unwrap());
    files.insert(path.clone(), b"host: host-1\nsurprise: 1\n".to_vec());
    let misplaced = host_path(&"host-2".parse().unwrap());
    files.insert(misplaced.clone(), files[&host_path(&"host-0".parse().unwrap())].clone());
    let loaded = load_status(&fleet.fleet, &files, NOW);
    let told: Vec<&str> = loaded.refused.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(told.len(), 2);
    assert!(told.contains(&path.as_str()) && told.contains(&misplaced.as_str()));
    assert_eq!(loaded.fleet.hosts.len(), 1);
    let elsewhere = load_status(&"other".parse().unwrap(), &written(&fleet), NOW);
    assert!(elsewhere.refused.iter().any(|(path, _)| path == "fleet.yaml"));
}
