//! Events as people follow them.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use muster_tests::fleet::{Fleet, SOON, SandboxAgent};
use muster_tests::process::Process;
use muster_tests::wait::wait_until;
use serde_json::Value;

const HOST: &str = "applications: {base: {}}\n";

/// What was told: an event a line. What stands between is for people.
fn told(follower: &Process) -> Vec<Value> {
    follower.output().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn applied(follower: &Process, commit: &str) -> usize {
    let message = format!("applied {}", &commit[..8]);
    told(follower).iter().filter(|event| event["kind"] == "host_applied" && event["message"] == *message).count()
}

fn greet(fleet: &Fleet, text: &str) {
    let resources = format!("resources:\n  files:\n    /etc/motd: {{content: \"{text}\\n\", mode: \"0640\"}}\n");
    fleet.repository.write("applications/base/application.yaml", resources).unwrap();
}

#[test]
fn events_are_followed_as_they_happen_and_over_a_restart_of_the_orchestrator() {
    let folder = tempfile::tempdir().unwrap();
    let mut fleet = Fleet::make(folder.path(), IpAddr::V4(Ipv4Addr::LOCALHOST), None).unwrap();
    fleet.start().unwrap();
    let mut agents = ["one", "two"].map(|name| SandboxAgent::make(&fleet, folder.path(), name).unwrap());
    agents.iter_mut().for_each(|agent| agent.start().unwrap());
    greet(&fleet, "hello");
    fleet.approve("production", "one", HOST).unwrap();
    let first = fleet.approve("production", "two", HOST).unwrap();
    for host in ["one", "two"] {
        fleet.wait_synced(host, &first).unwrap();
    }
    let server = fleet.api_url();
    let follow = |name: &str, arguments: &[&str]| {
        let arguments = [&["events", "--follow", "-o", "json", "--server", &server], arguments].concat();
        Process::start(name, fleet.muster(&arguments).unwrap(), &folder.path().join(name)).unwrap()
    };
    let mut all = follow("all", &[]);
    let mut of_one = follow("of-one", &["one"]);
    wait_until("what was before", SOON, || applied(&all, &first) == 2 && applied(&of_one, &first) == 1).unwrap();

    greet(&fleet, "again");
    let second = fleet.repository.publish("base: Greet again").unwrap();
    wait_until("what happens", SOON, || applied(&all, &second) == 2 && applied(&of_one, &second) == 1).unwrap();
    fleet.stop().unwrap();
    fleet.start().unwrap();
    greet(&fleet, "once more");
    let third = fleet.repository.publish("base: Greet once more").unwrap();
    wait_until("what happens after a restart", SOON + Duration::from_secs(10), || {
        applied(&all, &third) == 2 && applied(&of_one, &third) == 1
    })
    .unwrap();
    let ids: Vec<u64> = told(&all).iter().filter_map(|event| event["id"].as_u64()).collect();
    assert!(ids.is_sorted_by(|one, next| one < next), "each once, in their order: {ids:?}");
    assert!(told(&of_one).iter().all(|event| event["host"] == "one"));
    assert!(all.is_running() && of_one.is_running());
}

#[test]
fn what_cannot_be_asked_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut fleet = Fleet::make(folder.path(), IpAddr::V4(Ipv4Addr::LOCALHOST), None).unwrap();
    let refused = |fleet: &Fleet, kind: &str| {
        let server = fleet.api_url();
        let arguments = ["events", "--follow", "--kind", kind, "--server", &server];
        let output = fleet.muster(&arguments).unwrap().output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused(&fleet, "host_drift").contains("no orchestrator answers"));
    fleet.start().unwrap();
    assert!(refused(&fleet, "nope").contains("host_drift"), "it names the kinds that there are");
}
