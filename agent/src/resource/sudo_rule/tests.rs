#![allow(clippy::disallowed_methods)]

use super::{path_of, render_rule};
use crate::resource::test_converger::{converge, converge_wholly, outcome_of};
use crate::test_machine::enter;
use muster_schema::resource::{Meta, ResourceSpec, SudoRuleSpec};
use muster_schema::state::ResourceState;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

fn rule(attributes: Value) -> SudoRuleSpec {
    serde_json::from_value(attributes).expect("a rule")
}

fn line(attributes: Value) -> String {
    render_rule(&rule(attributes)).lines().last().unwrap_or_default().to_owned()
}

#[test]
fn a_rule_is_one_line_in_the_form_of_sudoers() {
    assert_eq!(line(json!({"users": ["deploy"], "commands": ["ALL"]})), "deploy ALL = ALL");
    let whole = json!({
        "users": ["deploy", "j:r"], "groups": ["domain users"], "hosts": ["web-1"], "run_as": ["www-data"],
        "run_as_groups": ["adm"], "tags": ["NOPASSWD", "LOG_INPUT"],
        "commands": ["/bin/a --x=1,2", "sudoedit /etc/a b#c"],
    });
    assert_eq!(
        line(whole),
        r"deploy, j\:r, %domain\ users web-1 = (www-data:adm) NOPASSWD: LOG_INPUT: /bin/a --x\=1\,2, sudoedit /etc/a b\#c"
    );
}

#[test]
fn what_sudo_would_read_otherwise_is_refused() {
    for bad in [
        json!({"users": ["a"]}),
        json!({"commands": ["ALL"]}),
        json!({"users": ["#0"], "commands": ["ALL"]}),
        json!({"users": ["a\nb"], "commands": ["ALL"]}),
        json!({"users": ["a"], "commands": ["!/bin/sh"]}),
        json!({"users": ["a"], "commands": ["ls"]}),
        json!({"users": ["a"], "commands": ["/bin/ls\nroot ALL=ALL"]}),
    ] {
        assert!(rule(bad.clone()).contradiction(&Meta::default()).is_some(), "{bad}");
    }
    assert!(serde_json::from_value::<SudoRuleSpec>(json!({"tags": ["NOPASS"]})).is_err());
}

#[test]
fn a_file_has_no_name_that_sudo_leaves_out() {
    assert_eq!(path_of("web.prod~").expect("a path").as_str(), "/etc/sudoers.d/web%2eprod%7e");
}

#[test]
fn a_rule_counts_heals_and_goes_back_to_what_was_found() {
    if !enter("resource::sudo_rule::tests::a_rule_counts_heals_and_goes_back_to_what_was_found") {
        return;
    }
    if !Path::new("/usr/sbin/visudo").exists() {
        println!("skipped: needs sudo");
        return;
    }
    let may = |command: &str| {
        let asked = format!("sudo -n {command} >/dev/null");
        let output = Command::new("runuser").args(["-u", "games", "--", "sh", "-c", &asked]).output().expect("runuser");
        output.status.success()
    };
    fs::write("/etc/sudoers.d/found", "games ALL = /bin/false\n").expect("write");
    let found = fs::metadata("/etc/sudoers.d/found").expect("meta").permissions().mode();
    let wanted = json!({
        "sudo_rules/web.prod": {"users": ["games"], "run_as": ["ALL"], "tags": ["NOPASSWD"], "commands": ["/bin/date +%s:%N,x=#1"]},
        "sudo_rules/found": {"groups": ["games"], "commands": ["/bin/true"]},
    });
    converge_wholly(&wanted);
    let (exactly, more) = ("/bin/date '+%s:%N,x=#1'", "/bin/date '+%s:%N,x=#12'");
    assert!(may(exactly));
    assert!(!may(more));
    let path = "/etc/sudoers.d/web%2eprod";
    assert_eq!(fs::metadata(path).expect("meta").permissions().mode() & 0o7777, 0o440);
    fs::write(path, "games ALL = NOPASSWD: ALL\n").expect("write");
    fs::set_permissions(path, fs::Permissions::from_mode(0o666)).expect("chmod");
    converge_wholly(&wanted);
    assert!(may(exactly) && !may(more));
    // What visudo does not take never gets there.
    let bad = json!({"sudo_rules/bad": {"users": ["games"], "hosts": [], "commands": ["ALL"]}});
    let outcomes = converge(&bad);
    let state = outcome_of(&outcomes, "sudo_rules/bad").state;
    assert_eq!(state, Some(ResourceState::Error), "{outcomes:?}");
    assert_eq!(fs::read_dir("/etc/sudoers.d").expect("list").count(), 2, "README and what was found");
    assert_eq!(fs::read_to_string("/etc/sudoers.d/found").expect("read"), "games ALL = /bin/false\n");
    assert_eq!(fs::metadata("/etc/sudoers.d/found").expect("meta").permissions().mode(), found);
}

#[test]
fn without_sudo_the_rule_is_blocked() {
    if !enter("resource::sudo_rule::tests::without_sudo_the_rule_is_blocked") {
        return;
    }
    let _ = fs::remove_dir_all("/etc/sudoers.d");
    let outcomes = converge(&json!({"sudo_rules/a": {"users": ["games"], "commands": ["ALL"]}}));
    let outcome = outcome_of(&outcomes, "sudo_rules/a");
    assert_eq!(outcome.state, Some(ResourceState::Blocked), "{outcome:?}");
}
