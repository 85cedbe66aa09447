//! Who may ask the API what: tokens made and taken back by `muster token` under a running `muster serve`.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use muster_reconciler::audit::check_log;
use muster_tests::fleet::{Fleet, SOON, SandboxAgent};
use muster_tests::process::Process;
use muster_tests::wait::wait_for;
use serde_json::Value;

#[path = "access/attack.rs"]
mod attack;
#[path = "access/rights.rs"]
mod rights;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A running fleet of one host for each role.
fn begin(folder: &Path, roles: &[&str]) -> (Fleet, Vec<SandboxAgent>) {
    let mut fleet = Fleet::make(folder, LOOPBACK, None).unwrap();
    fleet.start().unwrap();
    let mut agents = Vec::new();
    for role in roles {
        let name = format!("{role}-1");
        let mut agent = SandboxAgent::make(&fleet, folder, &name).unwrap();
        agent.start().unwrap();
        let approved = fleet.approve("production", &name, &format!("labels: {{role: {role}}}\n")).unwrap();
        fleet.wait_synced(&name, &approved).unwrap();
        agents.push(agent);
    }
    (fleet, agents)
}

fn token(fleet: &Fleet, arguments: &[&str]) -> Output {
    let data = fleet.data();
    let arguments = [&["token"], arguments, &["--data", data.to_str().unwrap()]].concat();
    fleet.muster(&arguments).unwrap().output().unwrap()
}

fn create(fleet: &Fleet, arguments: &[&str]) -> String {
    let made = token(fleet, &[&["create"], arguments].concat());
    assert!(made.status.success(), "{made:?}");
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}

/// Status and problem of a request with this `Authorization`.
fn ask(fleet: &Fleet, method: &str, path: &str, authorization: Option<&str>) -> (u16, Value) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", fleet.api_url()));
    if let Some(authorization) = authorization {
        request = request.header("Authorization", authorization);
    }
    let mut answer = agent.run(request.body(()).unwrap()).unwrap();
    let text = answer.body_mut().read_to_string().unwrap_or_default();
    (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

fn get(fleet: &Fleet, path: &str, token: &str) -> (u16, Value) {
    ask(fleet, "GET", path, Some(&format!("Bearer {token}")))
}

#[test]
fn a_token_opens_what_it_is_for_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (fleet, _agents) = begin(folder.path(), &["web", "db"]);
    // Without tokens, programs on this machine need none.
    assert_eq!(ask(&fleet, "GET", "/api/v1/hosts", None).0, 200);
    assert_eq!(ask(&fleet, "POST", "/api/v1/hosts/web-1/v1/converge", None).0, 200);

    let web = create(&fleet, &["web-team", "--scope", "read,query", "--hosts", "role=web", "--expires", "1h"]);
    let all = create(&fleet, &["ops", "--scope", "read,query,act"]);
    // From now on everybody does, also here.
    for path in ["/", "/metrics", "/api/v1/fleet", "/api/v1/hosts", "/api/v1/events", "/api/v1/hosts/web-1/v1/facts"] {
        let (status, problem) = ask(&fleet, "GET", path, None);
        assert_eq!((status, problem["reason"].as_str()), (401, Some("Unauthorized")), "{path}");
    }
    assert_eq!(ask(&fleet, "GET", "/healthz", None).0, 200);

    let (status, hosts) = get(&fleet, "/api/v1/hosts", &web);
    let ids: Vec<&str> = hosts["items"].as_array().unwrap().iter().map(|host| host["id"].as_str().unwrap()).collect();
    assert_eq!((status, ids), (200, vec!["web-1"]));
    assert_eq!(get(&fleet, "/api/v1/hosts/web-1", &web).0, 200);
    assert_eq!(get(&fleet, "/api/v1/hosts/web-1/v1/facts", &web).0, 200);
    assert_eq!(get(&fleet, "/api/v1/openapi.json", &web).1["openapi"], "3.1.0");
    assert_eq!(get(&fleet, "/api/v1/hosts?search=db", &web).1["total"], 0, "no filter shows more than there is to see");
    // Hosts of others, in any spelling, what is of no host alone, and what it has no scope for.
    for path in [
        "/api/v1/hosts/db-1",
        "/api/v1/hosts/db%2d1",
        "/api/v1/hosts/nobody",
        "/api/v1/hosts/db-1/v1/facts",
        "/api/v1/hosts/db%2D1/v1/facts",
        "/api/v1/hosts/nobody/v1/facts",
        "/api/v1/query?hosts=db-1&target=/v1/facts",
        "/api/v1/fleet",
        "/api/v1/events",
        "/metrics",
        "/",
    ] {
        let (status, problem) = get(&fleet, path, &web);
        assert_eq!((status, problem["reason"].as_str()), (403, Some("Forbidden")), "{path}: {problem}");
    }
    let post = |token: &str, host: &str| {
        ask(&fleet, "POST", &format!("/api/v1/hosts/{host}/v1/converge"), Some(&format!("Bearer {token}"))).0
    };
    assert_eq!((post(&web, "web-1"), post(&all, "db-1")), (403, 200));
    // A question to many names those that it does not ask.
    let (status, answer) = get(&fleet, "/api/v1/query?selector=*&target=/v1/facts", &web);
    assert_eq!((status, &answer["answers"][0]["host"]), (200, &Value::from("web-1")), "{answer}");
    assert_eq!(answer["unanswered"][0]["host"], "db-1", "{answer}");

    // The command line takes it from the environment, from a file, or as it is told.
    let file = folder.path().join("token");
    fs::write(&file, format!("{all}\n")).unwrap();
    let muster = |arguments: &[&str], name: &str, value: &str| {
        fleet.muster(arguments).unwrap().env(name, value).output().unwrap()
    };
    assert!(muster(&["get", "hosts"], "MUSTER_TOKEN", &all).status.success());
    assert!(muster(&["query", "--all", "facts"], "MUSTER_TOKEN_FILE", file.to_str().unwrap()).status.success());
    assert!(muster(&["why", "web-1", "--token", &web], "X", "").status.success());
    assert_eq!(muster(&["get", "hosts"], "X", "").status.code(), Some(2));

    let log = fs::read(fleet.data().join("audit.log")).unwrap();
    assert_eq!(check_log(&log, &[]), []);
    let text = String::from_utf8(log).unwrap();
    let line = |who: &str, decision: &str, what: &str| {
        let has = |line: &str| [who, decision, what].iter().all(|part| line.contains(part));
        assert!(text.lines().any(has), "{who} {decision} {what}: {text}");
    };
    line("token:web-team", "allow", "/v1/facts");
    line("token:web-team", "deny", "db-1");
    line("token:web-team", "deny", "/v1/converge");
    line("token:ops", "allow", "/v1/converge");
    line("127.0.0.1", "deny", "a token is needed");
    line("token web-team", "TokenCreated", "role=web");
    line("token ops", "TokenCreated", "read, query, act until");
    assert!(token(&fleet, &["revoke", "web-team"]).status.success());
    assert_eq!(get(&fleet, "/api/v1/hosts", &web).0, 401);
    let log = fs::read_to_string(fleet.data().join("audit.log")).unwrap();
    assert_eq!(log.matches("TokenRevoked").count(), 1, "{log}");
    assert_eq!(log.matches("TokenCreated").count(), 2, "{log}");
    assert!(!text.contains(&all) && !fs::read_to_string(fleet.data().join("tokens.json")).unwrap().contains(&all));
}

#[test]
fn what_is_no_good_token_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (fleet, _agents) = begin(folder.path(), &[]);
    let good = create(&fleet, &["good", "--scope", "read"]);
    let short = create(&fleet, &["short", "--scope", "read", "--expires", "1s"]);
    assert_eq!(get(&fleet, "/api/v1/fleet", &good).0, 200);
    assert_eq!(ask(&fleet, "GET", "/api/v1/fleet", Some(&format!("bearer  {good}"))).0, 200);
    std::thread::sleep(Duration::from_millis(1100));
    let (status, problem) = get(&fleet, "/api/v1/fleet", &short);
    assert_eq!(status, 401);
    assert!(problem["detail"].as_str().unwrap().contains("'short' has expired"), "{problem}");
    for wrong in [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        good.clone(),
        format!("Basic {good}"),
        format!("Bearer {good}x"),
        format!("Bearer {good} {good}"),
        format!("Bearer {}", &good[..good.len() - 1]),
        format!("Bearer {}", "a".repeat(4000)),
    ] {
        let (status, problem) = ask(&fleet, "GET", "/api/v1/fleet", Some(&wrong));
        assert_eq!((status, problem["reason"].as_str()), (401, Some("Unauthorized")), "{wrong:?}");
        assert!(!problem.to_string().contains(&good), "{problem}");
    }
    // A header that is too large for the server is none that opens anything.
    let huge = format!("Bearer {}", "a".repeat(1_000_000));
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let answer = agent.get(format!("{}/api/v1/fleet", fleet.api_url())).header("Authorization", huge).call();
    assert!(answer.map_or(400, |answer| answer.status().as_u16()) >= 400);
    assert_eq!(get(&fleet, "/api/v1/fleet", &good).0, 200);

    // Taken back, it is worth nothing at once; and with the last one gone nobody else gets in.
    assert!(token(&fleet, &["revoke", "good"]).status.success());
    assert_eq!(get(&fleet, "/api/v1/fleet", &good).0, 401);
    assert_eq!(token(&fleet, &["revoke", "good"]).status.code(), Some(2));
    assert!(token(&fleet, &["revoke", "short"]).status.success());
    assert_eq!(ask(&fleet, "GET", "/api/v1/fleet", None).0, 401);

    // What cannot be read lets nobody in.
    fs::write(fleet.data().join("tokens.json"), "{").unwrap();
    assert_eq!(ask(&fleet, "GET", "/api/v1/fleet", None).0, 503);
    // Strangers do not fill the audit log.
    for _ in 0..50 {
        let _ = ask(&fleet, "GET", "/api/v1/fleet", Some("Bearer x"));
    }
    let log = fs::read_to_string(fleet.data().join("audit.log")).unwrap();
    assert!(log.lines().count() < 45, "{log}");
}

#[test]
fn beyond_this_machine_the_api_is_served_only_where_there_is_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let fleet = Fleet::make(folder.path(), LOOPBACK, None).unwrap();
    let first = fleet.repository.git_bare(&["rev-parse", "main"]).unwrap();
    let (bare, keys, data) = (fleet.repository.bare(), fleet.keys(), fleet.data());
    let serve = || {
        let mut serve = fleet.muster(&["serve", "--listen", "127.0.0.1:0", "--api-listen", "0.0.0.0:0"]).unwrap();
        serve.args(["--trust", first.trim(), "--repo"]).arg(&bare).arg("--keys").arg(&keys).arg("--data").arg(&data);
        serve
    };
    let refused = serve().output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("muster token create"), "{told}");

    let token = create(&fleet, &["ops", "--scope", "read"]);
    let mut serving = Process::start("muster serve", serve(), &folder.path().join("open.log")).unwrap();
    let address = wait_for("the API", SOON, || {
        let told = serving.output();
        let (_, rest) = told.split_once("API and status page on http://0.0.0.0:")?;
        Some(format!("http://127.0.0.1:{}", rest.split_once('\n')?.0.trim()))
    })
    .unwrap();
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let ask = |authorization: &str| {
        let request = agent.get(format!("{address}/api/v1/fleet")).header("Authorization", authorization);
        request.call().unwrap().status().as_u16()
    };
    assert_eq!((ask(&format!("Bearer {token}")), ask("Bearer x")), (200, 401));
    assert_eq!(agent.get(format!("{address}/api/v1/fleet")).call().unwrap().status(), 401);
    serving.stop(SOON).unwrap();
}
