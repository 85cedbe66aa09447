//! The way of a change over HTTP, without root: signed push, orchestrator, agents that manage folders.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use muster_tests::fleet::{Fleet, SOON, SandboxAgent};
use muster_tests::wait::{stays, wait_until};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const APPLICATION: &str = "applications/base/application.yaml";

fn base(motd: &str) -> String {
    format!("resources:\n  files:\n    /etc/motd: {{content: \"{motd}\\n\", mode: \"0640\"}}\n")
}

fn holds(path: &Path, text: &str) -> bool {
    fs::read_to_string(path).is_ok_and(|found| found == text)
}

#[test]
fn a_signed_push_reaches_the_hosts_drift_heals_and_a_revert_restores() {
    let folder = tempfile::tempdir().unwrap();
    let mut fleet = Fleet::make(folder.path(), LOOPBACK, None).unwrap();
    fleet.start().unwrap();
    let mut one = SandboxAgent::make(&fleet, folder.path(), "one").unwrap();
    let mut two = SandboxAgent::make(&fleet, folder.path(), "two").unwrap();
    let (first, second) = (one.root().join("etc/motd"), two.root().join("etc/motd"));
    fs::write(&first, "as it came\n").unwrap();
    fs::set_permissions(&first, fs::Permissions::from_mode(0o600)).unwrap();
    one.start().unwrap();
    two.start().unwrap();
    fleet.repository.write(APPLICATION, base("hello")).unwrap();
    fleet.approve("production", "one", "applications: {base: {}}\n").unwrap();
    let approved = fleet.approve("staging", "two", "applications: {base: {}}\n").unwrap();
    for motd in [&first, &second] {
        wait_until("the file", SOON, || holds(motd, "hello\n")).unwrap();
        assert_eq!(fs::metadata(motd).unwrap().permissions().mode() & 0o7777, 0o640);
    }
    fleet.wait_synced("one", &approved).unwrap();
    fleet.wait_synced("two", &approved).unwrap();

    fs::write(&first, "drifted\n").unwrap();
    wait_until("the content to heal", SOON, || holds(&first, "hello\n")).unwrap();
    fs::set_permissions(&first, fs::Permissions::from_mode(0o666)).unwrap();
    wait_until("the mode to heal", SOON, || {
        fs::metadata(&first).is_ok_and(|found| found.permissions().mode() & 0o7777 == 0o640)
    })
    .unwrap();
    fs::remove_file(&first).unwrap();
    wait_until("the file to come back", SOON, || holds(&first, "hello\n")).unwrap();
    fleet
        .wait_host("one", "corrective transitions", |host| {
            let transitions = host["transitions"].as_array().map_or(&[][..], Vec::as_slice);
            transitions.iter().filter(|t| t["address"] == "files/etc/motd" && t["cause"] == "corrective").count() >= 3
        })
        .unwrap();
    let committed = || fleet.repository.git_bare(&["grep", "--count", "corrective", "status", "--", "hosts"]);
    wait_until("the drift in the status branch", SOON, || committed().is_ok()).unwrap();

    // The approval of `one` brought the file: without it the file is as it came, content and mode.
    fleet.repository.write("environments/production/hosts/one.yaml", key_line(&fleet, "one")).unwrap();
    let left = fleet.repository.publish("one: Leave base").unwrap();
    wait_until("the original content", SOON, || holds(&first, "as it came\n")).unwrap();
    assert_eq!(fs::metadata(&first).unwrap().permissions().mode() & 0o7777, 0o600);
    fleet.wait_synced("one", &left).unwrap();
    assert!(holds(&second, "hello\n"));

    // And back again by a revert.
    let back = fleet.repository.publish_revert(&left).unwrap();
    wait_until("the file", SOON, || holds(&first, "hello\n")).unwrap();
    fleet.wait_synced("one", &back).unwrap();
}

/// The host's file with nothing but its key.
fn key_line(fleet: &Fleet, host: &str) -> String {
    let path = fleet.repository.work().join(format!("environments/production/hosts/{host}.yaml"));
    let text = fs::read_to_string(path).unwrap();
    text.lines().find(|line| line.starts_with("key:")).unwrap().to_owned() + "\n"
}

#[test]
fn an_unsigned_commit_changes_nothing_and_the_next_signed_one_works() {
    let folder = tempfile::tempdir().unwrap();
    let mut fleet = Fleet::make(folder.path(), LOOPBACK, None).unwrap();
    fleet.start().unwrap();
    let mut agent = SandboxAgent::make(&fleet, folder.path(), "one").unwrap();
    agent.start().unwrap();
    fleet.repository.write(APPLICATION, base("one")).unwrap();
    let good = fleet.approve("production", "one", "applications: {base: {}}\n").unwrap();
    let motd = agent.root().join("etc/motd");
    wait_until("the file", SOON, || holds(&motd, "one\n")).unwrap();

    fleet.repository.write(APPLICATION, base("slipped in")).unwrap();
    let bad = fleet.repository.commit_unsigned("Slip in").unwrap();
    fleet.repository.push().unwrap();
    wait_until("the rejection in the status", SOON, || {
        fleet.fetch("fleet").is_ok_and(|view| view.to_string().contains(&bad))
    })
    .unwrap();
    stays("the old content", Duration::from_secs(2), || holds(&motd, "one\n")).unwrap();

    fleet.repository.rewind(&good).unwrap();
    fleet.repository.write(APPLICATION, base("two")).unwrap();
    let next = fleet.repository.publish("base: Say two").unwrap();
    wait_until("the file", SOON, || holds(&motd, "two\n")).unwrap();
    fleet.wait_synced("one", &next).unwrap();
}

#[test]
fn agents_and_people_have_an_address_each() {
    let folder = tempfile::tempdir().unwrap();
    let mut fleet = Fleet::make(folder.path(), LOOPBACK, None).unwrap();
    fleet.start().unwrap();
    let status = |url: String| match ureq::get(&url).call() {
        Ok(answer) => answer.status().as_u16(),
        Err(ureq::Error::StatusCode(code)) => code,
        Err(error) => panic!("{url}: {error}"),
    };
    for path in ["/", "/api/v1/fleet", "/metrics"] {
        assert_eq!(status(fleet.api_url() + path), 200, "{path} for people");
        assert_eq!(status(fleet.url() + path), 404, "{path} for agents");
    }
    let root = "/published/root.json";
    assert_eq!((status(fleet.url() + root), status(fleet.api_url() + root)), (200, 404));
}
