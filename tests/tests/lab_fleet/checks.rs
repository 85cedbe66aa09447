//! Checks on a real host: its health, beside its sync.

use std::time::Duration;

use muster_tests::fleet::{RealFleet, SOON};
use muster_tests::need;
use muster_tests::wait::{stays, wait_until};
use serde_json::Value;

use crate::web;

/// Of the web application's own; the site answers on port 8080.
const CHECKS: &str = r#"
  checks:
    site: {http: {url: "http://127.0.0.1:8080/", status: 200, contains: "hello from"}, interval: 1, retry: 1, timeout: 2}
    port: {tcp: "127.0.0.1:8080", interval: 1, retry: 1, severity: wanted}
    nginx: {unit: nginx, interval: 1, retry: 1, severity: wanted}
    flag: {command: [test, "!", "-e", /var/tmp/unwell], interval: 1, retry: 0}
    space: {disk: {path: /, free_bytes: 1}, interval: 1}
    stuck: {command: [sleep, "600"], interval: 1, timeout: 2, retry: 0, severity: wanted}
"#;
const PATH: &str = "applications/web/application.yaml";

fn is(host: &Value, health: &str, reason: &str) -> bool {
    host["health"] == health && host["reason"] == reason && host["sync"] == "Synced"
}

#[test]
fn lab_checks_tell_health_and_leave_sync_and_host_alone() {
    if !need::has(need::LAB) || !need::has(need::BROKER) {
        return;
    }
    let real = RealFleet::start(["web-1"]).unwrap();
    web::write(&real.fleet);
    let whole =
        std::fs::read_to_string(real.fleet.repository.work().join(PATH)).unwrap() + CHECKS.trim_start_matches('\n');
    real.fleet.repository.write(PATH, &whole).unwrap();
    real.approve_all(web::ASSIGNED).unwrap();
    let [host] = &real.hosts;

    // The one that hangs is a warning, and drift is healed all the while.
    let seen = real.fleet.wait_host("web-1", "to warn", |host| is(host, "Healthy", "CheckWarning")).unwrap();
    assert!(seen["message"].as_str().unwrap().starts_with("checks/stuck: "), "{seen}");
    host.write_file("/etc/motd", "drift\n").unwrap();
    wait_until("the repair", Duration::from_secs(5), || {
        host.read_file("/etc/motd").is_ok_and(|text| text == "managed\n")
    })
    .unwrap();

    // The configuration is as it is to be, and the host is not well.
    host.exec("touch /var/tmp/unwell").unwrap();
    let unwell = real.fleet.wait_host("web-1", "to be unwell", |host| is(host, "Degraded", "CheckFailed")).unwrap();
    assert!(unwell["message"].as_str().unwrap().starts_with("checks/flag: "), "{unwell}");
    let readme = || real.fleet.repository.read("status", "README.md").unwrap_or_default();
    wait_until("the README of the status branch", SOON, || readme().contains("CheckFailed")).unwrap();
    host.exec("rm /var/tmp/unwell").unwrap();
    real.fleet.wait_host("web-1", "to be well again", |host| is(host, "Healthy", "CheckWarning")).unwrap();

    // A steady state makes no commits.
    let commits = || real.fleet.repository.git_bare(&["rev-list", "--count", "status"]).unwrap();
    let mut before = commits();
    wait_until("the last of the news", SOON, || {
        std::thread::sleep(Duration::from_secs(7));
        std::mem::replace(&mut before, commits()) == commits()
    })
    .unwrap();
    stays("the status branch", Duration::from_secs(8), || commits() == before).unwrap();

    // Without them nothing is left, and the host was never touched.
    web::write(&real.fleet);
    let gone = real.fleet.repository.publish("web: Check nothing").unwrap();
    real.fleet.wait_synced("web-1", &gone).unwrap();
    real.fleet.wait_host("web-1", "to be well", |host| is(host, "Healthy", "Converged")).unwrap();
}
