//! Hosts that refuse: each ends in a clear state, nothing is lost, and the next run goes on. On a copy of this machine.

use super::super::Extent;
use super::now;
use crate::apply::Outcome;
use crate::provider::apt::test_archive::{Archive, installed, run};
use crate::resource::test_converger::{converge, converge_wholly, load, open, outcome_of};
use crate::test_machine::{enter, enter_with};
use muster_schema::state::{Cause, ResourceState};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const STATE: &str = "/run/muster-test";

/// A content that the agent has at hand.
fn content(text: &str) -> Value {
    json!(open().managed().blobs.keep_bytes(text.as_bytes()).unwrap())
}

fn mount_memory(path: &str, options: &str) {
    fs::create_dir_all(path).unwrap();
    run(Command::new("mount").args(["-t", "tmpfs", "-o", options, "none", path]));
}

fn remount(path: &str, options: &str) {
    run(Command::new("mount").args(["-o", &format!("remount,{options}"), path]));
}

fn state(outcomes: &[Outcome], address: &str) -> Option<ResourceState> {
    outcome_of(outcomes, address).state
}

/// Nothing of an attempt lies about.
fn no_candidates(folder: &str) {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<String> = names.filter(|name| name.starts_with(".muster")).collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn a_full_disk_loses_nothing_and_stops_nobody_else() {
    if !enter("converge::tests::bad_input::a_full_disk_loses_nothing_and_stops_nobody_else") {
        return;
    }
    mount_memory("/srv/full", "size=128k");
    fs::write("/srv/full/found", "found\n").unwrap();
    let large = content(&"large\n".repeat(50_000));
    let wanted = json!({
        "files/srv/full/found": {"content": large},
        "files/srv/full/new": {"content": large},
        "files/srv/full/small": {"content": content("small\n")},
        "links/srv/waits": {"target": "full/new", "meta": {"requires": ["files/srv/full/new"]}},
        "files/srv/elsewhere": {"content": content("elsewhere\n")},
    });
    let outcomes = converge(&wanted);
    for full in ["files/srv/full/found", "files/srv/full/new"] {
        let outcome = outcome_of(&outcomes, full);
        assert_eq!(outcome.state, Some(ResourceState::Error), "{outcome:?}");
        assert!(outcome.message.contains("No space left"), "{outcome:?}");
    }
    let waits = outcome_of(&outcomes, "links/srv/waits");
    assert_eq!(waits.state, Some(ResourceState::Blocked));
    assert!(waits.message.contains("files/srv/full/new"), "{waits:?}");
    assert_eq!(state(&outcomes, "files/srv/elsewhere"), Some(ResourceState::Repaired));
    assert_eq!(state(&outcomes, "files/srv/full/small"), Some(ResourceState::Repaired));
    assert_eq!(fs::read_to_string("/srv/full/found").unwrap(), "found\n");
    assert!(!Path::new("/srv/full/new").exists() && fs::symlink_metadata("/srv/waits").is_err());
    no_candidates("/srv/full");

    remount("/srv/full", "size=4m");
    converge_wholly(&wanted);
    assert_eq!(fs::metadata("/srv/full/found").unwrap().len(), 300_000);
    converge_wholly(&json!({}));
    assert_eq!(fs::read_to_string("/srv/full/found").unwrap(), "found\n");
    assert_eq!(fs::read_dir("/srv/full").unwrap().count(), 1);
}

#[test]
fn a_full_state_folder_changes_nothing_before_the_original_is_kept() {
    if !enter("converge::tests::bad_input::a_full_state_folder_changes_nothing_before_the_original_is_kept") {
        return;
    }
    mount_memory(STATE, "size=16m");
    let found = "found\n".repeat(50_000);
    fs::write("/srv/found", &found).unwrap();
    let wanted = json!({
        "files/srv/found": {"content": content("ours\n")},
        "files/srv/new": {"content": content("new\n")},
    });
    let mut converger = open();
    converger.set_resources(load(&wanted)).unwrap();
    let filler = fs::File::create(format!("{STATE}/filler")).unwrap();
    while std::io::Write::write(&mut &filler, &[0; 4096]).is_ok_and(|count| count == 4096) {}
    // It says so, as an error of its own or of the resource.
    match converger.converge(Cause::Intentional, Extent::All, &|| false, now) {
        Ok(converged) => {
            assert_eq!(state(&converged.outcomes, "files/srv/found"), Some(ResourceState::Error));
        }
        Err(error) => drop(error.to_string()),
    }
    assert_eq!(fs::read_to_string("/srv/found").unwrap(), found, "what cannot be kept is not changed");
    drop((converger, filler));
    fs::remove_file(format!("{STATE}/filler")).unwrap();

    converge_wholly(&wanted);
    assert_eq!(fs::read_to_string("/srv/found").unwrap(), "ours\n");
    converge_wholly(&json!({}));
    assert_eq!(fs::read_to_string("/srv/found").unwrap(), found);
    assert!(!Path::new("/srv/new").exists());
}

#[test]
fn a_file_system_that_may_not_be_written_to_is_said_and_healed_later() {
    if !enter("converge::tests::bad_input::a_file_system_that_may_not_be_written_to_is_said_and_healed_later") {
        return;
    }
    mount_memory("/srv/closed", "size=1m");
    fs::write("/srv/closed/found", "found\n").unwrap();
    remount("/srv/closed", "ro");
    let wanted = json!({
        "files/srv/closed/found": {"content": content("ours\n")},
        "files/srv/closed/found2": {"meta": {"state": "absent"}},
        "directories/srv/closed/new": {},
        "files/srv/closed/new/inside": {"content": content("inside\n")},
        "lines/part": {"path": "/srv/closed/found", "line": "a part", "meta": {"state": "absent"}},
        "files/srv/elsewhere": {"content": content("elsewhere\n")},
    });
    let outcomes = converge(&wanted);
    for closed in ["files/srv/closed/found", "directories/srv/closed/new"] {
        let outcome = outcome_of(&outcomes, closed);
        assert_eq!(outcome.state, Some(ResourceState::Error), "{outcome:?}");
        assert!(outcome.message.contains("Read-only file system"), "{outcome:?}");
    }
    let inside = outcome_of(&outcomes, "files/srv/closed/new/inside");
    assert_eq!(inside.state, Some(ResourceState::Blocked));
    assert!(inside.message.contains("directories/srv/closed/new"), "{inside:?}");
    assert_eq!(state(&outcomes, "files/srv/closed/found2"), Some(ResourceState::Compliant));
    assert_eq!(state(&outcomes, "files/srv/elsewhere"), Some(ResourceState::Repaired));
    assert_eq!(fs::read_to_string("/srv/closed/found").unwrap(), "found\n");

    remount("/srv/closed", "rw");
    converge_wholly(&wanted);
    assert_eq!(fs::read_to_string("/srv/closed/new/inside").unwrap(), "inside\n");
    converge_wholly(&json!({}));
    assert_eq!(fs::read_to_string("/srv/closed/found").unwrap(), "found\n");
    assert_eq!(fs::read_dir("/srv/closed").unwrap().count(), 1);
}

/// Ends every process of this name. All processes that are seen here are of this test.
fn kill_all(name: &str) {
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let is_it = fs::read_to_string(entry.path().join("comm")).is_ok_and(|comm| comm.trim() == name);
        if is_it && let Ok(id) = entry.file_name().to_string_lossy().parse() {
            let process = rustix::process::Pid::from_raw(id).unwrap();
            let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
        }
    }
}

#[test]
fn a_package_manager_that_is_killed_is_mended_by_the_next_run() {
    let name = "converge::tests::bad_input::a_package_manager_that_is_killed_is_mended_by_the_next_run";
    if !enter_with(&["/usr/bin/apt-get", "/usr/bin/dpkg-deb"], name) {
        return;
    }
    let mut archive = Archive::new();
    let script = "#!/bin/sh\n[ -e /run/again ] && exit 0\ntouch /run/begun\nexec sleep 600\n";
    archive.add_with("slow", "1.0", "Depends: needed\n", &[("postinst", script)]);
    archive.add("needed", "1.0", "");
    archive.add("quick", "1.0", "");
    archive.refresh();
    let killer = std::thread::spawn(|| {
        let begun = Instant::now();
        while !Path::new("/run/begun").exists() {
            assert!(begun.elapsed() < Duration::from_secs(120), "the script never began");
            std::thread::sleep(Duration::from_millis(50));
        }
        ["apt-get", "dpkg", "sleep"].into_iter().for_each(kill_all);
    });
    let wanted = json!({
        "packages/slow": {},
        "files/srv/needs": {"content": content("a\n"), "meta": {"requires": ["packages/slow"]}},
        "files/srv/elsewhere": {"content": content("b\n")},
    });
    let outcomes = converge(&wanted);
    killer.join().unwrap();
    let slow = outcome_of(&outcomes, "packages/slow");
    assert_eq!(slow.state, Some(ResourceState::Error), "{slow:?}");
    let needs = outcome_of(&outcomes, "files/srv/needs");
    assert_eq!(needs.state, Some(ResourceState::Blocked), "{needs:?}");
    assert!(needs.message.contains("packages/slow"), "{needs:?}");
    assert_eq!(state(&outcomes, "files/srv/elsewhere"), Some(ResourceState::Repaired));
    assert_eq!(installed("slow"), None, "it is not configured");

    // What was left halfway stands in the way of nothing, and is finished.
    fs::write("/run/again", "").unwrap();
    let mut more = wanted.clone();
    more["packages/quick"] = json!({});
    converge_wholly(&more);
    for there in ["slow", "needed", "quick"] {
        assert_eq!(installed(there).as_deref(), Some("1.0"), "{there}");
    }
    // The way back was kept before the attempt that was killed.
    converge_wholly(&json!({}));
    for gone in ["slow", "needed", "quick"] {
        assert_eq!(installed(gone), None, "{gone}");
    }
}

#[test]
fn without_systemd_what_needs_it_says_so_and_the_rest_goes_on() {
    if !enter("converge::tests::bad_input::without_systemd_what_needs_it_says_so_and_the_rest_goes_on") {
        return;
    }
    assert!(!Path::new("/run/systemd/system").exists());
    for other in ["/sbin/rc-service", "/usr/sbin/rc-service"] {
        drop(fs::remove_file(other));
    }
    drop(fs::remove_dir_all("/etc/init.d"));
    let wanted = json!({
        "services/web": {"running": true},
        "units/web.service": {"content": content("[Service]\nExecStart=true\n")},
        "timers/night": {"calendar": "daily", "command": ["true"]},
        "containers/web": {"image": format!("localhost/web@sha256:{}", "0".repeat(64))},
        "files/srv/needs": {"content": content("a\n"), "meta": {"requires": ["services/web"]}},
        "files/srv/elsewhere": {"content": content("b\n")},
    });
    let outcomes = converge(&wanted);
    for (address, reason) in [
        ("services/web", "no service manager that is known runs on this host"),
        ("units/web.service", "systemd does not run on this host"),
        ("timers/night", "systemd does not run on this host"),
        ("containers/web", "systemd does not run on this host"),
        ("files/srv/needs", "services/web"),
    ] {
        let outcome = outcome_of(&outcomes, address);
        assert_eq!(outcome.state, Some(ResourceState::Blocked), "{outcome:?}");
        assert!(outcome.message.contains(reason), "{outcome:?}");
    }
    assert_eq!(state(&outcomes, "files/srv/elsewhere"), Some(ResourceState::Repaired));
    assert!(!Path::new("/etc/systemd/system/web.service").exists());
    converge(&json!({}));
    assert!(!Path::new("/srv/elsewhere").exists());
}
