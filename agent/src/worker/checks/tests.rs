//! Checks of a booted machine: what the host reports, and that it goes on meanwhile.
#![allow(clippy::disallowed_methods)]

use crate::test_daemon::{Daemon, wait_for};
use crate::test_machine::enter_booted;
use muster_schema::report::Report;
use muster_schema::state::{Health, ResourceState};
use serde_json::json;
use std::fs;
use std::net::TcpListener;
use std::process::Command;

fn state_of(report: &Report, id: &str) -> Option<ResourceState> {
    let address = format!("checks/{id}");
    report.deviations.iter().find(|one| one.address.to_string() == address).map(|one| one.state)
}

#[test]
fn checks_tell_how_the_host_fares_and_hold_up_nothing() {
    if !enter_booted("worker::checks::tests::checks_tell_how_the_host_fares_and_hold_up_nothing") {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = listener.local_addr().unwrap().to_string();
    let wanted = json!({
        "directories/srv/app": {"mode": "0755"},
        "checks/port": {"tcp": endpoint, "interval": 1, "meta": {"retry": 1}},
        "checks/unit": {"unit": "dbus.socket", "interval": 1, "severity": "wanted", "meta": {"retry": 0}},
        "checks/slow": {"command": ["sleep", "600"], "interval": 1, "severity": "wanted",
            "meta": {"retry": 0, "timeout": 4}},
    });
    let mut daemon = Daemon::begin();
    daemon.follow(&wanted);
    // Its first report is about the new manifest, and no check has an answer.
    let begun = daemon.report();
    assert!(begun.health == Health::Progressing || begun.health == Health::Healthy, "{begun:?}");
    wait_for("the required check", || daemon.report().health == Health::Healthy);

    // A probe hangs all the while; drift is healed at once.
    fs::remove_dir("/srv/app").unwrap();
    let begun = std::time::Instant::now();
    wait_for("the repair", || fs::metadata("/srv/app").is_ok());
    assert!(begun.elapsed().as_secs() < 2, "{:?}", begun.elapsed());
    wait_for("the warning", || daemon.report().reason == "CheckWarning");
    let report = daemon.report();
    assert_eq!(report.health, Health::Healthy);
    assert!(report.message.contains("checks/slow") && report.message.contains("sleep"), "{}", report.message);
    assert_eq!(state_of(&report, "slow"), Some(ResourceState::NonCompliant));

    drop(listener);
    wait_for("a closed port", || daemon.report().health == Health::Degraded);
    let report = daemon.report();
    assert!(report.reason == "CheckFailed" && report.message.starts_with("checks/port: "), "{report:?}");
    let steady = daemon.report();
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert_eq!(daemon.report(), steady, "what stays as it is makes no news");

    let listener = TcpListener::bind(&endpoint).unwrap();
    wait_for("an open port", || daemon.report().health == Health::Healthy);
    Command::new("systemctl").args(["stop", "dbus.socket", "dbus"]).status().unwrap();
    wait_for("a stopped unit", || state_of(&daemon.report(), "unit").is_some());

    // Without the checks nothing is left of them.
    daemon.follow(&json!({"directories/srv/app": {"mode": "0755"}}));
    wait_for("no check", || daemon.report().reason == "Converged");
    let report = daemon.report();
    assert_eq!((report.deviations.len(), report.counts.values().sum::<u32>()), (0, 1), "{report:?}");
    drop(listener);
    daemon.end();
}
