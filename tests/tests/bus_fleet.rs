//! The programs themselves over a broker: push, outage, lost enrolment, approval by the command line.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::{Duration, Instant};

use muster_tests::broker::Broker;
use muster_tests::fleet::{Fleet, SOON, SandboxAgent};
use muster_tests::need;
use muster_tests::wait::{stays, wait_until};
use serde_json::Value;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Agents look by themselves every minute.
const WELL_BELOW_A_POLL: Duration = Duration::from_secs(20);
const APPLICATION: &str = "applications/base/application.yaml";

fn base(motd: &str) -> String {
    format!("resources:\n  files:\n    /etc/motd: {{content: \"{motd}\\n\"}}\n")
}

fn holds(path: &Path, text: &str) -> bool {
    fs::read_to_string(path).is_ok_and(|found| found == text)
}

/// A fleet with one environment whose hosts all have `base`, and an agent that announces itself.
fn begin(folder: &Path, bus: Option<&str>) -> (Fleet, SandboxAgent) {
    let mut fleet = Fleet::make(folder, LOOPBACK, bus).unwrap();
    fleet.start().unwrap();
    fleet.repository.write(APPLICATION, base("hello")).unwrap();
    fleet.repository.write("environments/production/environment.yaml", "applications: {base: {}}\n").unwrap();
    fleet.repository.publish("base: Say hello").unwrap();
    let mut agent = SandboxAgent::make(&fleet, folder, "one").unwrap();
    agent.start().unwrap();
    (fleet, agent)
}

/// Approves the agent as a person does; gives the commit.
fn approve(fleet: &Fleet) -> String {
    let key = fleet.wait_pending("one").unwrap();
    let fingerprint = key.parse::<muster_schema::PublicKey>().unwrap().fingerprint();
    let work = fleet.repository.work();
    let arguments = ["host", "approve", "one", "--env", "production", "--fingerprint", &fingerprint, "--repo"];
    let output = fleet.muster(&arguments).unwrap().arg(work).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fleet.repository.git_bare(&["rev-parse", "main"]).unwrap().trim().to_owned()
}

/// The numbers and causes of what happened to the file.
fn transitions(host: &Value) -> Vec<(u64, String)> {
    let all = host["transitions"].as_array().map_or(&[][..], Vec::as_slice);
    let of_file = all.iter().filter(|transition| transition["address"] == "files/etc/motd");
    of_file.map(|t| (t["seq"].as_u64().unwrap(), t["cause"].as_str().unwrap().to_owned())).collect()
}

/// What the fleet says of its broker.
fn broker_is_connected(fleet: &Fleet) -> Option<String> {
    let view = fleet.fetch("fleet").unwrap();
    let held = view["conditions"].as_array()?.iter().find(|held| held["type"] == "BrokerConnected")?;
    held["status"].as_str().map(str::to_owned)
}

#[test]
fn broker_outage_delays_reports_and_loses_or_repeats_none() {
    if !need::has(need::BROKER) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut broker = Broker::start().unwrap();
    let (fleet, agent) = begin(folder.path(), Some(&broker.url()));
    let approved = approve(&fleet);
    let motd = agent.root().join("etc/motd");
    wait_until("the file", SOON, || holds(&motd, "hello\n")).unwrap();
    fleet.wait_synced("one", &approved).unwrap();

    broker.stop().unwrap();
    for round in 0..4 {
        fs::write(&motd, format!("drift {round}\n")).unwrap();
        wait_until("the drift to heal without a broker", SOON, || holds(&motd, "hello\n")).unwrap();
        // Each round is to be seen apart.
        std::thread::sleep(Duration::from_millis(500));
    }
    let corrective = |host: &Value| transitions(host).iter().filter(|(_, cause)| cause == "corrective").count();
    assert_eq!(corrective(&fleet.fetch("hosts/one").unwrap()), 0, "nothing came through");
    assert_eq!(broker_is_connected(&fleet).as_deref(), Some("False"));
    broker.resume().unwrap();
    let host = fleet.wait_host("one", "the drift of the outage", |host| corrective(host) >= 4).unwrap();
    let numbers: Vec<u64> = transitions(&host).iter().map(|(seq, _)| *seq).collect();
    assert!(numbers.is_sorted() && numbers.windows(2).all(|pair| pair[0] != pair[1]), "{numbers:?}");
    stays("each told once", Duration::from_secs(3), || {
        fleet.fetch("hosts/one").is_ok_and(|host| corrective(&host) == 4)
    })
    .unwrap();

    assert_eq!(broker_is_connected(&fleet).as_deref(), Some("True"));

    // Hints come again, too.
    fleet.repository.write(APPLICATION, base("back")).unwrap();
    let back = fleet.repository.publish("base: Say back").unwrap();
    wait_until("the new content", SOON, || holds(&motd, "back\n")).unwrap();
    fleet.wait_synced("one", &back).unwrap();
    let events = fleet.muster(&["get", "hosts", "-o", "json"]).unwrap().output().unwrap();
    assert!(String::from_utf8_lossy(&events.stdout).contains("Synced"));
}

/// Kills the orchestrator at another point of each rollout. The next one has the host right long before the agent
/// would have looked by itself, and knows it.
fn kill_and_go_on(folder: &Path, bus: Option<&str>) {
    const ROUNDS: u64 = 8;
    let (mut fleet, agent) = begin(folder, bus);
    let approved = approve(&fleet);
    let motd = agent.root().join("etc/motd");
    fleet.wait_synced("one", &approved).unwrap();
    let mut took = Vec::new();
    for round in 0..ROUNDS {
        let text = format!("round {round}");
        fleet.repository.write(APPLICATION, base(&text)).unwrap();
        let pushed = fleet.repository.publish(&format!("base: Say {text}")).unwrap();
        // From before it has noticed to after everything is out.
        std::thread::sleep(Duration::from_millis(round * 12));
        fleet.kill().unwrap();
        let killed = Instant::now();
        fleet.start().unwrap();
        wait_until("the new content", WELL_BELOW_A_POLL, || holds(&motd, &format!("{text}\n"))).unwrap();
        let applied = killed.elapsed();
        let synced =
            |host: &Value| host["assigned"] == pushed && host["sync"] == "Synced" && host["health"] == "Healthy";
        fleet.wait_host_within(WELL_BELOW_A_POLL, "one", "to be known to be right", synced).unwrap();
        took.push((applied.as_millis(), killed.elapsed().as_millis()));
    }
    eprintln!("ms from kill to applied, and to known: {took:?}");
}

#[test]
fn an_orchestrator_killed_at_any_point_has_the_host_right_soon() {
    kill_and_go_on(tempfile::tempdir().unwrap().path(), None);
}

#[test]
fn broker_orchestrator_killed_at_any_point_has_the_host_right_soon() {
    if !need::has(need::BROKER) {
        return;
    }
    let broker = Broker::start().unwrap();
    kill_and_go_on(tempfile::tempdir().unwrap().path(), Some(&broker.url()));
}

#[test]
fn a_wait_right_after_a_push_waits_for_it_and_gives_up_on_what_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (fleet, agent) = begin(folder.path(), None);
    let approved = approve(&fleet);
    fleet.wait_synced("one", &approved).unwrap();
    let motd = agent.root().join("etc/motd");
    let work = fleet.repository.work().to_str().unwrap().to_owned();
    let wait = || fleet.muster(&["wait", "--repo", &work, "--timeout", "50"]).unwrap().output().unwrap();
    for round in 0..5 {
        fleet.repository.write(APPLICATION, base(&format!("round {round}"))).unwrap();
        fleet.repository.publish("base: Say another").unwrap();
        let output = wait();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        assert!(holds(&motd, &format!("round {round}\n")), "it is there when the wait is over");
    }
    fleet.repository.write(APPLICATION, "resources: [\n").unwrap();
    fleet.repository.publish("base: Break it").unwrap();
    let begun = Instant::now();
    let output = wait();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("is faulty"), "{output:?}");
    assert!(begun.elapsed() < WELL_BELOW_A_POLL, "it does not wait for what cannot come");
}

#[test]
fn a_host_that_leaves_puts_back_what_it_found_where_its_file_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let (mut fleet, agent) = begin(folder.path(), None);
    let motd = agent.root().join("etc/motd");
    approve(&fleet);
    wait_until("the file", SOON, || holds(&motd, "hello\n")).unwrap();
    let path = "environments/production/hosts/one.yaml";
    let file = fleet.repository.read("main", path).unwrap();
    fleet.repository.write(path, format!("{}\non_retire: revert\n", file.trim_end())).unwrap();
    let said = fleet.repository.publish("hosts: Put one back when it leaves").unwrap();
    fleet.wait_synced("one", &said).unwrap();

    fs::remove_file(fleet.repository.work().join(path)).unwrap();
    fleet.repository.publish("hosts: Retire one").unwrap();
    fleet.wait_host("one", "to be retired", |host| host["reason"] == "Retired").unwrap();
    assert!(!motd.exists(), "it was put back before the agent stopped");
    // From now on it is the owner's own.
    fs::write(&motd, "mine\n").unwrap();
    stays("what the owner writes", Duration::from_secs(2), || holds(&motd, "mine\n")).unwrap();
    // And that is not undone by a restart.
    fleet.kill().unwrap();
    fleet.start().unwrap();
    fleet.wait_host("one", "to be retired still", |host| host["reason"] == "Retired").unwrap();
}

/// Loses the proofs of enrolment while the orchestrator is down; the agent proves itself anew.
fn lose_enrolment(folder: &Path, bus: Option<&str>) {
    let (mut fleet, agent) = begin(folder, bus);
    approve(&fleet);
    let motd = agent.root().join("etc/motd");
    wait_until("the file", SOON, || holds(&motd, "hello\n")).unwrap();
    fleet.kill().unwrap();
    fs::remove_dir_all(fleet.data().join("enrolment")).unwrap();
    fleet.start().unwrap();
    fleet.repository.write(APPLICATION, base("again")).unwrap();
    let again = fleet.repository.publish("base: Say again").unwrap();
    wait_until("the new content", SOON, || holds(&motd, "again\n")).unwrap();
    fleet.wait_synced("one", &again).unwrap();
    assert!(fs::read_dir(fleet.data().join("enrolment/enrolled")).unwrap().count() == 1);
}

#[test]
fn an_agent_proves_itself_anew_when_the_proof_was_lost() {
    lose_enrolment(tempfile::tempdir().unwrap().path(), None);
}

#[test]
fn broker_agents_prove_themselves_anew_when_the_proof_was_lost() {
    if !need::has(need::BROKER) {
        return;
    }
    let broker = Broker::start().unwrap();
    lose_enrolment(tempfile::tempdir().unwrap().path(), Some(&broker.url()));
}
