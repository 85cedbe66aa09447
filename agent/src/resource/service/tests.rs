#![allow(clippy::disallowed_methods)]

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use muster_schema::resource::{Existence, ServiceSpec};
use muster_schema::state::ResourceState;
use serde_json::{Value, json};

use crate::host::Scope;
use crate::resource::test_converger::{converge, converge_wholly, differences, outcome_of};
use crate::resource::{Change, ResourceError, ResourceType, State};
use crate::test_machine::enter_booted;

mod scripts;

const HOST: Scope = Scope { sandbox: false, owners: true };

fn spec(running: Option<bool>, enabled: Option<bool>, masked: Option<bool>) -> ServiceSpec {
    ServiceSpec { running, enabled, masked }
}

fn found(running: bool, enabled: impl Into<crate::resource::Value>, masked: bool) -> State {
    State::present([("running", running.into()), ("enabled", enabled.into()), ("masked", masked.into())])
}

fn diff(spec: &ServiceSpec, observed: &State) -> Result<Option<Change>, ResourceError> {
    spec.diff(&spec.wanted(Existence::Present, HOST), observed)
}

fn told(result: Result<Option<Change>, ResourceError>) -> String {
    match result {
        Ok(None) => "right".to_owned(),
        Ok(Some(change)) => change.to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_masked_unit_is_never_unmasked_in_silence() {
    let masked = found(false, "masked", true);
    let on = spec(Some(true), Some(true), None);
    assert_eq!(told(diff(&on, &masked)), "it is masked; only `masked: false` unmasks it");
    let unmask = spec(Some(true), Some(true), Some(false));
    assert_eq!(told(diff(&unmask, &masked)), "enabled: masked → true, masked: true → false, running: false → true");
    // Enabled and masked in one breath.
    let both = spec(None, Some(true), Some(true));
    assert_eq!(told(diff(&both, &masked)), "right");
    assert_eq!(told(diff(&both, &found(false, false, false))), "enabled: false → true, masked: false → true");
}

#[test]
fn what_cannot_be_enabled_is_said_after_the_rest_is_right() {
    let on = spec(Some(true), Some(true), None);
    assert_eq!(told(diff(&on, &found(false, "static", false))), "running: false → true");
    assert_eq!(told(diff(&on, &found(true, "static", false))), "it is static: it has nothing that could be enabled");
    assert_eq!(told(diff(&spec(None, Some(false), None), &found(true, "static", false))), "right");
}

#[test]
fn a_unit_that_is_not_there_is_off() {
    assert_eq!(told(diff(&spec(Some(false), Some(false), None), &State::Absent)), "right");
    assert_eq!(told(diff(&spec(Some(true), None, None), &State::Absent)), "create");
    let spec = spec(Some(true), None, None);
    let absent = spec.wanted(Existence::Absent, HOST);
    assert_eq!(told(spec.diff(&absent, &found(true, "static", false))), "remove");
    assert_eq!(told(spec.diff(&absent, &found(false, false, false))), "right");
}

fn systemctl(arguments: &[&str]) -> String {
    let output = Command::new("systemctl").args(arguments).output().expect("runs");
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

fn write_unit(name: &str, text: &str) {
    fs::write(format!("/etc/systemd/system/{name}"), text).expect("written");
}

const SIMPLE: &str = "[Service]\nExecStart=sleep infinity\n[Install]\nWantedBy=multi-user.target\n";

#[test]
fn units_are_as_they_are_asked_to_be() {
    if !enter_booted("resource::service::tests::units_are_as_they_are_asked_to_be") {
        return;
    }
    starts_stops_and_goes_back();
    masks_and_unmasks();
    knows_aliases_instances_and_new_files();
    tells_what_fails();
    lets_a_stop_end();
    tells_kinds_of_files_apart();
    restarts_only_what_runs();
    starts_once_after_what_it_reads();
    two_hundred_units_are_read_at_once();
}

fn starts_stops_and_goes_back() {
    write_unit("probe.service", SIMPLE);
    write_unit("found.service", SIMPLE);
    systemctl(&["daemon-reload"]);
    systemctl(&["enable", "--now", "found.service"]);
    let wanted = json!({
        "services/probe": {"running": true, "enabled": true},
        "services/found.service": {"running": false, "enabled": false},
    });
    converge_wholly(&wanted);
    assert_eq!(systemctl(&["is-active", "probe", "found"]), "active\ninactive");
    assert_eq!(systemctl(&["is-enabled", "probe", "found"]), "enabled\ndisabled");
    let process = systemctl(&["show", "-p", "MainPID", "probe"]);

    systemctl(&["disable", "probe"]);
    systemctl(&["start", "found"]);
    converge_wholly(&wanted);
    assert_eq!(systemctl(&["is-active", "probe", "found"]), "active\ninactive");
    assert_eq!(systemctl(&["show", "-p", "MainPID", "probe"]), process, "what was right was left alone");
    systemctl(&["kill", "--signal=KILL", "probe"]);
    while systemctl(&["is-active", "probe"]) == "active" {
        std::thread::sleep(Duration::from_millis(10));
    }
    converge_wholly(&wanted);
    assert_eq!(systemctl(&["is-active", "probe"]), "active");

    converge_wholly(&json!({}));
    assert_eq!(systemctl(&["is-active", "probe", "found"]), "inactive\nactive");
    assert_eq!(systemctl(&["is-enabled", "probe", "found"]), "disabled\nenabled");
}

fn masks_and_unmasks() {
    // A unit whose file stands in /etc cannot be masked there.
    fs::write("/usr/lib/systemd/system/shy.service", SIMPLE).expect("written");
    systemctl(&["daemon-reload"]);
    converge_wholly(&json!({"services/shy": {"enabled": true, "masked": true, "running": false}}));
    assert_eq!(systemctl(&["is-enabled", "shy"]), "masked");
    assert_eq!(systemctl(&["show", "-p", "LoadState", "shy"]), "LoadState=masked", "it is read anew");
    let outcomes = converge(&json!({"services/shy": {"running": true, "masked": true}}));
    assert_eq!(outcome_of(&outcomes, "services/shy").state, Some(ResourceState::Blocked));
    assert_eq!(systemctl(&["is-enabled", "shy"]), "masked");
    converge_wholly(&json!({"services/shy": {"running": true, "masked": false}}));
    assert_eq!(systemctl(&["is-active", "shy"]), "active");
    converge_wholly(&json!({}));
    assert_eq!(
        (systemctl(&["is-active", "shy"]), systemctl(&["is-enabled", "shy"])),
        ("inactive".into(), "disabled".into())
    );
}

fn knows_aliases_instances_and_new_files() {
    write_unit("real.service", &format!("{SIMPLE}Alias=nick.service\n"));
    write_unit("many@.service", "[Service]\nExecStart=sleep %i\n[Install]\nWantedBy=multi-user.target\n");
    systemctl(&["daemon-reload"]);
    systemctl(&["enable", "real"]);
    converge_wholly(&json!({
        "services/nick": {"running": true, "enabled": true},
        "services/many@1000": {"running": true, "enabled": true},
        "services/ssh-not-there": {"running": false, "enabled": false},
    }));
    assert_eq!(systemctl(&["is-active", "real", "many@1000"]), "active\nactive");
    assert_eq!(systemctl(&["is-enabled", "many@1000"]), "enabled");
    // systemd has not been told of this one, and has read an older form of the other.
    write_unit("brand-new.service", SIMPLE);
    write_unit("real.service", &format!("[Unit]\nDescription=second\n{SIMPLE}"));
    systemctl(&["stop", "real"]);
    converge_wholly(&json!({"services/brand-new": {"running": true}, "services/real": {"running": true}}));
    assert_eq!(systemctl(&["is-active", "brand-new"]), "active");
    assert_eq!(systemctl(&["show", "-p", "Description", "real"]), "Description=second");
    converge_wholly(&json!({}));
    assert_eq!(systemctl(&["is-active", "brand-new"]), "inactive");
}

fn tells_what_fails() {
    write_unit("falls.service", "[Service]\nExecStart=sh -c 'exit 7'\n");
    write_unit("broken.service", "[Service]\nType=simple\n");
    write_unit("loops.service", "[Service]\nExecStart=sh -c 'exit 8'\nRestart=always\nRestartSec=3600\n");
    systemctl(&["daemon-reload"]);
    let wanted = json!({
        "services/falls": {"running": true},
        "services/loops": {"running": true},
        "services/no-such": {"running": true},
        "services/broken": {"running": true},
    });
    let outcomes = converge(&wanted);
    for (address, state, part) in [
        ("services/falls", ResourceState::Error, "exit-code, code 7"),
        ("services/loops", ResourceState::Error, "code 8"),
        ("services/no-such", ResourceState::Blocked, "there is no unit no-such.service"),
        ("services/broken", ResourceState::Error, "bad unit file setting"),
    ] {
        let outcome = outcome_of(&outcomes, address);
        assert_eq!(outcome.state, Some(state), "{outcome:?}");
        assert!(outcome.message.contains(part), "{outcome:?}");
    }
    converge(&json!({}));
}

/// A start in the middle of somebody's stop would cancel that.
fn lets_a_stop_end() {
    write_unit("slow.service", "[Service]\nExecStart=sleep infinity\nExecStop=sleep 1\n");
    systemctl(&["daemon-reload"]);
    let wanted = json!({"services/slow": {"running": true}});
    converge_wholly(&wanted);
    for verb in ["stop", "restart"] {
        let mut asked = Command::new("systemctl").args([verb, "slow"]).spawn().expect("runs");
        while systemctl(&["is-active", "slow"]) != "deactivating" {
            std::thread::sleep(Duration::from_millis(10));
        }
        converge_wholly(&wanted);
        assert!(asked.wait().expect("ends").success(), "the {verb} was cancelled");
        assert_eq!(systemctl(&["is-active", "slow"]), "active");
    }
    converge_wholly(&json!({}));
}

fn tells_kinds_of_files_apart() {
    write_unit("runtime.service", SIMPLE);
    write_unit("helper.service", SIMPLE);
    write_unit("indirect.service", "[Service]\nExecStart=sleep infinity\n[Install]\nAlso=helper.service\n");
    write_unit("static.service", "[Service]\nExecStart=sleep infinity\n");
    systemctl(&["daemon-reload"]);
    systemctl(&["enable", "--runtime", "runtime"]);
    let wanted = json!({
        "services/runtime": {"enabled": true},
        "services/indirect": {"enabled": true},
        "services/static": {"enabled": true, "running": true},
    });
    converge(&wanted);
    assert_eq!(systemctl(&["is-enabled", "runtime"]), "enabled");
    for address in ["services/indirect", "services/static"] {
        let outcome = converge(&wanted).into_iter().rev().find(|one| one.address.to_string() == address);
        let outcome = outcome.expect("told");
        assert_eq!(outcome.state, Some(ResourceState::Blocked), "{outcome:?}");
    }
    assert_eq!(systemctl(&["is-active", "static"]), "active", "what can be put right is");
    converge(&json!({}));
}

fn restarts_only_what_runs() {
    write_unit("probe.service", SIMPLE);
    systemctl(&["daemon-reload"]);
    let wanted = |mode: &str, running: bool| {
        json!({
            "directories/etc/probe": {"mode": mode},
            "services/probe": {"meta": {"restart_on": ["directories/etc/probe"]}, "running": running},
        })
    };
    let started = || systemctl(&["show", "-p", "ExecMainStartTimestampMonotonic", "probe"]);
    converge_wholly(&wanted("0755", true));
    let before = started();
    converge_wholly(&wanted("0755", true));
    assert_eq!(started(), before);
    converge_wholly(&wanted("0700", true));
    assert_ne!(started(), before, "it reacted");
    converge_wholly(&wanted("0700", false));
    converge_wholly(&wanted("0750", false));
    assert_eq!(systemctl(&["is-active", "probe"]), "inactive");
    converge_wholly(&json!({}));
}

fn starts_once_after_what_it_reads() {
    let once = SIMPLE.replace("[Install]", "ExecStartPre=sh -c 'echo >>/run/counted.starts'\n[Install]");
    write_unit("counted.service", &once);
    systemctl(&["daemon-reload"]);
    let wanted = |mode: &str, more: Value| {
        let mut wanted = json!({
            "directories/etc/counted": {"mode": mode},
            "services/counted": {
                "meta": {"restart_on": ["directories/etc/counted", "directories/etc/counted-too"]}, "running": true,
            },
        });
        wanted.as_object_mut().expect("a map").extend(more.as_object().cloned().expect("a map"));
        wanted
    };
    let starts = || fs::read_to_string("/run/counted.starts").unwrap_or_default().lines().count();
    let none = json!({});
    converge_wholly(&wanted("0755", none.clone()));
    assert_eq!(starts(), 1, "it was started after the folder");
    converge_wholly(&wanted("0700", none.clone()));
    assert_eq!(starts(), 2, "it ran, and reacted once");
    systemctl(&["stop", "counted"]);
    converge_wholly(&wanted("0755", json!({"directories/etc/counted-too": {"mode": "0755"}})));
    assert_eq!(starts(), 3, "it had stopped, and was started after both folders");
    // What leaves goes last: after the start.
    systemctl(&["stop", "counted"]);
    converge_wholly(&wanted("0755", none));
    assert_eq!(starts(), 5, "started, and restarted when a folder left");
    converge_wholly(&json!({}));
}

fn two_hundred_units_are_read_at_once() {
    let mut wanted = serde_json::Map::new();
    for number in 0..200 {
        write_unit(&format!("bulk{number}.service"), SIMPLE);
        wanted.insert(format!("services/bulk{number}"), json!({"running": false, "enabled": false}));
    }
    systemctl(&["daemon-reload"]);
    let wanted = Value::Object(wanted);
    assert!(differences(&wanted).is_empty());
    let start = Instant::now();
    assert!(differences(&wanted).is_empty());
    println!("200 units looked at in {:?}", start.elapsed());
}
