#![allow(clippy::disallowed_methods)]

use std::fs;
use std::path::Path;
use std::process::Command;

use muster_schema::resource::{Meta, ResourceSpec, TimerSpec};
use muster_schema::state::ResourceState;
use serde_json::{Value, json};

use super::unit_of;
use crate::resource::test_converger::{converge, converge_wholly, differences, outcome_of};
use crate::test_machine::enter_booted;

fn timer(attributes: Value) -> TimerSpec {
    serde_json::from_value(attributes).expect("a timer")
}

fn systemctl(arguments: &[&str]) -> String {
    let output = Command::new("systemctl").args(arguments).output().expect("runs");
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

#[test]
fn what_systemd_would_read_otherwise_is_refused() {
    for bad in [
        json!({"calendar": "daily"}),
        json!({"command": ["true"]}),
        json!({"calendar": "daily\nOnBootSec=1", "command": ["true"]}),
        json!({"calendar": "%h", "command": ["true"]}),
        json!({"calendar": "daily", "command": ["+/bin/sh"]}),
        json!({"calendar": "daily", "command": ["true\nUser=root"]}),
        json!({"calendar": "daily", "command": ["true"], "user": "root\n"}),
    ] {
        assert!(timer(bad.clone()).contradiction(&Meta::default()).is_some(), "{bad}");
    }
    assert_eq!(unit_of("a%b@c").expect("a unit").as_str(), "muster-a\\x25b\\x40c.timer");
}

#[test]
fn a_timer_waits_runs_heals_and_goes() {
    if !enter_booted("resource::timer::tests::a_timer_waits_runs_heals_and_goes") {
        return;
    }
    let words = ["a b", "", "it's \"x\"", "$HOME ${A} $$", "50% %h", "\\n", "ü;|&"];
    let script = "printf '[%s]' \"$@\" \"$A\" $(id -un) > /run/told";
    let command: Vec<&str> = ["sh", "-c", script, "sh"].into_iter().chain(words).collect();
    let wanted = |calendar: &str| {
        json!({"timers/night.1": {
            "calendar": calendar, "command": command, "env": {"A": "x %h $y"}, "user": "root", "persistent": true, "splay": 60,
        }})
    };
    converge_wholly(&wanted("daily"));
    assert_eq!(systemctl(&["is-active", "muster-night.1.timer"]), "active");
    assert_eq!(systemctl(&["is-enabled", "muster-night.1.timer"]), "enabled");
    systemctl(&["start", "muster-night.1.service"]);
    let told = words.map(|word| format!("[{word}]")).concat() + "[x %h $y][root]";
    assert_eq!(fs::read_to_string("/run/told").expect("it ran"), told);

    let inode = || {
        fs::metadata("/etc/systemd/system/muster-night.1.timer").map(|meta| std::os::unix::fs::MetadataExt::ino(&meta))
    };
    let before = inode().expect("there");
    converge_wholly(&wanted("daily"));
    assert_eq!(inode().expect("there"), before, "nothing changed");
    converge_wholly(&wanted("*-*-01 04:05"));
    let next = systemctl(&["show", "-p", "TimersCalendar", "--value", "muster-night.1.timer"]);
    assert!(next.contains("04:05"), "{next}");

    systemctl(&["disable", "--now", "muster-night.1.timer"]);
    assert_eq!(differences(&wanted("*-*-01 04:05")).len(), 1);
    converge_wholly(&wanted("*-*-01 04:05"));
    assert_eq!(systemctl(&["is-active", "muster-night.1.timer"]), "active");

    let outcomes = converge(&wanted("sometimes"));
    let outcome = outcome_of(&outcomes, "timers/night.1");
    assert_eq!(outcome.state, Some(ResourceState::Blocked), "{outcome:?}");
    assert!(outcome.message.contains("sometimes"), "{outcome:?}");

    converge_wholly(&json!({}));
    for gone in ["muster-night.1.timer", "muster-night.1.service", "timers.target.wants/muster-night.1.timer"] {
        assert!(fs::symlink_metadata(Path::new("/etc/systemd/system").join(gone)).is_err(), "{gone}");
    }
    assert_eq!(systemctl(&["show", "-p", "LoadState", "--value", "muster-night.1.timer"]), "not-found");
}
