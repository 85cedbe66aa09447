#![allow(clippy::disallowed_methods)]

use std::fs;
use std::path::Path;
use std::process::Command;

use muster_schema::state::ResourceState;
use serde_json::{Value, json};

use crate::resource::test_converger::{converge, converge_wholly, outcome_of};
use crate::test_machine::enter_booted;
use crate::vault::Vault;

const SLEEPS: &str = "[Service]\nExecStart=sleep infinity\n[Install]\nWantedBy=multi-user.target\n";

fn systemctl(arguments: &[&str]) -> String {
    let output = Command::new("systemctl").args(arguments).output().expect("runs");
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

fn content(text: &str) -> Value {
    let blobs = Path::new("/run/muster-test/blobs");
    fs::create_dir_all(blobs).expect("made");
    let blob = Vault::open(blobs).expect("opens").keep_bytes(text.as_bytes()).expect("kept");
    serde_json::to_value(blob).expect("json")
}

fn process(unit: &str) -> String {
    systemctl(&["show", "-p", "MainPID", "--value", unit])
}

/// How often systemd has read its files anew.
fn reloads() -> usize {
    let output = Command::new("journalctl").args(["-b", "--no-pager", "_PID=1"]).output().expect("runs");
    String::from_utf8_lossy(&output.stdout).matches("Reloading").count()
}

#[test]
fn unit_files_are_written_read_and_taken_back() {
    if !enter_booted("resource::unit::tests::unit_files_are_written_read_and_taken_back") {
        return;
    }
    fs::write("/etc/systemd/system/found.service", SLEEPS).expect("written");
    systemctl(&["daemon-reload"]);
    systemctl(&["start", "found"]);
    let first = process("found");
    let limits = |files: u32| content(&format!("[Service]\nLimitNOFILE={files}\n"));
    let wanted = |files: u32, on_change: &str| {
        json!({
            "units/made.service": {"content": content(SLEEPS)},
            "units/found.service.d/limits.conf": {"content": limits(files), "on_change": on_change},
            "services/made": {"running": true, "enabled": true, "meta": {"requires": ["units/made.service"]}},
        })
    };
    let before = reloads();
    converge_wholly(&wanted(1000, "none"));
    assert_eq!(reloads() - before, 2, "one for the units, one for what is enabled");
    assert_eq!(systemctl(&["is-active", "made"]), "active");
    assert_eq!(systemctl(&["show", "-p", "NeedDaemonReload", "--value", "found"]), "no");
    assert_eq!(process("found"), first, "on_change: none");

    converge_wholly(&wanted(2000, "restart"));
    let second = process("found");
    assert_ne!(second, first);
    assert_eq!(systemctl(&["show", "-p", "LimitNOFILE", "--value", "found"]), "2000");
    converge_wholly(&wanted(2000, "restart"));
    assert_eq!(process("found"), second, "nothing changed");

    systemctl(&["stop", "found"]);
    converge_wholly(&wanted(3000, "restart"));
    assert_eq!(systemctl(&["is-active", "found"]), "inactive", "what does not run is not started");

    converge_wholly(&json!({}));
    assert_eq!(fs::read_to_string("/etc/systemd/system/found.service").expect("there"), SLEEPS);
    for gone in ["found.service.d", "made.service", "multi-user.target.wants/made.service"] {
        assert!(!Path::new("/etc/systemd/system").join(gone).exists(), "{gone}");
    }
    assert_eq!(systemctl(&["show", "-p", "LoadState", "--value", "made"]), "not-found");
    gives_back_what_it_replaced();
    never_unmasks();
}

fn gives_back_what_it_replaced() {
    converge_wholly(&json!({"units/found.service": {"content": content("[Service]\nExecStart=true\n")}}));
    assert_eq!(fs::read_to_string("/etc/systemd/system/found.service").expect("there"), "[Service]\nExecStart=true\n");
    converge_wholly(&json!({}));
    assert_eq!(fs::read_to_string("/etc/systemd/system/found.service").expect("there"), SLEEPS);
    converge_wholly(&json!({"units/found.service": {"meta": {"state": "absent"}}}));
    assert!(!Path::new("/etc/systemd/system/found.service").exists());
    converge_wholly(&json!({}));
    assert_eq!(fs::read_to_string("/etc/systemd/system/found.service").expect("there"), SLEEPS);
}

fn never_unmasks() {
    std::os::unix::fs::symlink("/dev/null", "/etc/systemd/system/shut.service").expect("linked");
    let outcomes = converge(&json!({"units/shut.service": {"content": content(SLEEPS)}}));
    let outcome = outcome_of(&outcomes, "units/shut.service");
    assert_eq!(outcome.state, Some(ResourceState::Blocked), "{outcome:?}");
    assert!(fs::symlink_metadata("/etc/systemd/system/shut.service").expect("there").is_symlink());
}
