//! `muster query` and the agents' API through the orchestrator, with the programs themselves.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::Output;

use muster_reconciler::audit::check_log;
use muster_tests::broker::Broker;
use muster_tests::fleet::{Fleet, SandboxAgent};
use muster_tests::need;
use serde_json::Value;

#[path = "query/attack.rs"]
mod attack;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const APPLICATION: &str = "resources:\n  files:\n    /etc/motd: {content: \"hello\\n\"}\n";

/// A fleet of hosts with a role each, all of them right.
fn begin(folder: &Path, bus: Option<&str>, hosts: &[(&str, &str)]) -> (Fleet, Vec<SandboxAgent>) {
    let mut fleet = Fleet::make(folder, LOOPBACK, bus).unwrap();
    fleet.start().unwrap();
    fleet.repository.write("applications/base/application.yaml", APPLICATION).unwrap();
    fleet.repository.write("environments/production/environment.yaml", "applications: {base: {}}\n").unwrap();
    fleet.repository.publish("base: Say hello").unwrap();
    let mut agents = Vec::new();
    let mut last = String::new();
    for (name, role) in hosts {
        let mut agent = SandboxAgent::make(&fleet, folder, name).unwrap();
        agent.start().unwrap();
        last = fleet.approve("production", name, &format!("labels: {{role: {role}}}\n")).unwrap();
        agents.push(agent);
    }
    for (name, _) in hosts {
        fleet.wait_synced(name, &last).unwrap();
    }
    (fleet, agents)
}

fn query(fleet: &Fleet, arguments: &[&str]) -> Output {
    fleet.muster(&[&["query"], arguments].concat()).unwrap().output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

fn hosts(answer: &Value, list: &str) -> Vec<String> {
    answer[list].as_array().unwrap().iter().map(|host| host["host"].as_str().unwrap().to_owned()).collect()
}

fn post(fleet: &Fleet, path: &str, origin: Option<&str>) -> (u16, Value) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut request = agent.post(format!("{}{path}", fleet.api_url()));
    if let Some(origin) = origin {
        request = request.header("Origin", origin);
    }
    let mut answer = request.send_empty().unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), serde_json::from_str(&text).unwrap())
}

/// Three hosts, of which one is killed.
fn ask_a_fleet(bus: Option<&str>) {
    let folder = tempfile::tempdir().unwrap();
    let all = [("db-1", "db"), ("web-1", "web"), ("web-2", "web")];
    let (fleet, mut agents) = begin(folder.path(), bus, &all);

    let output = query(&fleet, &["web-1", "files/etc/motd", "-o", "json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let answer = json(&output);
    let view = &answer["answers"][0]["body"];
    assert_eq!((&view["managed"], &view["observed"]["attributes"]["content"]["size"]), (&true.into(), &6.into()));
    assert_eq!(view["desired"]["attributes"]["content"], view["observed"]["attributes"]["content"]);

    let output = query(&fleet, &["-l", "role=web", "files", "-o", "json"]);
    assert_eq!(
        (output.status.code(), hosts(&json(&output), "answers")),
        (Some(0), vec!["web-1".into(), "web-2".into()])
    );
    let output = query(&fleet, &["--all", "facts", "-o", "table"]);
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(all.iter().all(|(name, _)| table.contains(name)) && table.contains("KERNEL"), "{table}");

    // What an agent is told to do.
    let (status, view) = post(&fleet, "/api/v1/hosts/db-1/v1/plan", None);
    assert_eq!((status, &view["differences"]), (200, &0.into()), "{view}");
    let (status, view) = post(&fleet, "/api/v1/hosts/db-1/v1/converge", None);
    assert_eq!((status, &view["finished"]), (200, &true.into()), "{view}");
    let (status, problem) = post(&fleet, "/api/v1/hosts/db-1/v1/converge", Some("http://evil.example"));
    assert_eq!((status, &problem["reason"]), (403, &"Forbidden".into()));
    let (status, problem) = post(&fleet, "/api/v1/hosts/db-1/v1/files/etc/motd", None);
    assert_eq!((status, &problem["reason"]), (405, &"WrongMethod".into()));

    agents[2].kill().unwrap();
    let output = query(&fleet, &["-l", "role=web", "files/etc/motd", "-o", "json", "--timeout", "2"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let answer = json(&output);
    assert_eq!((hosts(&answer, "answers"), hosts(&answer, "unanswered")), (vec!["web-1".into()], vec!["web-2".into()]));
    assert!(String::from_utf8_lossy(&output.stderr).contains("web-2 did not answer"), "{output:?}");
    for faulty in [&["web-9", "facts"][..], &["-l", "role=mail", "facts"], &["web-1", "nothing/at/all"], &["facts"]] {
        let output = query(&fleet, faulty);
        assert_eq!(output.status.code(), Some(2), "{faulty:?}: {output:?}");
    }
    // It comes back, and is asked again.
    agents[2].start().unwrap();
    fleet.wait_host("web-2", "to be asked again", |_| query(&fleet, &["web-2", "facts"]).status.success()).unwrap();

    let log = fs::read(fleet.data().join("audit.log")).unwrap();
    assert_eq!(check_log(&log, &[]), []);
    let lines: Vec<Value> = log.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let has = |action: &str, hosts: &str, decision: &str| {
        lines.iter().any(|line| {
            line["action"] == action && line["hosts"] == hosts && line["decision"] == decision && line["who"] == "local"
        })
    };
    assert!(has("GET /v1/files/etc/motd", "web-1", "allow"), "{lines:?}");
    assert!(has("GET /v1/files", "-l role=web", "allow"), "{lines:?}");
    assert!(has("POST /v1/converge", "db-1", "allow") && has("POST /v1/converge", "db-1", "deny"), "{lines:?}");
}

#[test]
fn broker_agents_are_asked_together_and_who_does_not_answer_is_named() {
    if !need::has(need::BROKER) {
        return;
    }
    let broker = Broker::start().unwrap();
    ask_a_fleet(Some(&broker.url()));
}

#[test]
fn agents_that_poll_are_asked_together_and_who_does_not_answer_is_named() {
    ask_a_fleet(None);
}

/// The agent's own socket, asked by curl as a person does it.
#[test]
fn curl_asks_the_socket_of_an_agent() {
    let folder = tempfile::tempdir().unwrap();
    let (_fleet, agents) = begin(folder.path(), None, &[("web-1", "web")]);
    let socket = agents[0].state().join("api.sock");
    let curl = |arguments: &[&str]| {
        let mut curl = std::process::Command::new("curl");
        let output = curl.args(["--silent", "--show-error", "--unix-socket"]).arg(&socket).args(arguments).output();
        json(&output.unwrap())
    };
    let view = curl(&["http://localhost/v1/files/etc/motd"]);
    assert_eq!((&view["managed"], &view["observed"]["present"]), (&true.into(), &true.into()), "{view}");
    assert!(curl(&["http://localhost/v1/facts"])["stable"]["hostname"].is_string());
    fs::write(agents[0].root().join("etc/other"), "mine\n").unwrap();
    assert_eq!(curl(&["http://localhost/v1/files/etc/other"])["managed"], false);
    assert_eq!(curl(&["-X", "POST", "http://localhost/v1/converge"])["finished"], true);
    assert_eq!(curl(&["-X", "PUT", "http://localhost/v1/files/etc/motd"])["reason"], "WrongMethod");
}
