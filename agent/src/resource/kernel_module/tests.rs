#![allow(clippy::disallowed_methods)]

use crate::resource::test_converger::{converge, converge_wholly, differences, outcome_of};
use crate::test_machine::enter;
use muster_schema::resource::{KernelModuleSpec, Meta, ResourceSpec};
use muster_schema::state::ResourceState;
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const LOAD: &str = "/etc/modules-load.d/muster-br_netfilter.conf";
const CONFIGURATION: &str = "/etc/modprobe.d/muster-br_netfilter.conf";

/// Loading a module of the machine is nothing for a test: a program that notes what it is asked stands in for modprobe,
/// and a list of what is built in beside the true one of what is loaded.
fn stand_in() {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").expect("read");
    let folder = format!("/lib/modules/{}", release.trim());
    fs::create_dir_all(&folder).expect("folder");
    fs::write(format!("{folder}/modules.builtin"), "kernel/fs/ext4/muster-inside.ko\n").expect("write");
    let script = "#!/bin/sh\necho \"$@\" >>/run/modprobe\necho no such module >&2\nexit 1\n";
    let _ = fs::remove_file("/usr/sbin/modprobe");
    fs::write("/usr/sbin/modprobe", script).expect("write");
    fs::set_permissions("/usr/sbin/modprobe", fs::Permissions::from_mode(0o755)).expect("chmod");
}

#[test]
fn what_makes_no_sense_is_refused() {
    for bad in [
        json!({}),
        json!({"loaded": true, "blacklisted": true}),
        json!({"options": {"a b": 1}}),
        json!({"options": {"a": "1\ninstall b /bin/sh"}}),
        json!({"options": {"a": "1 2"}}),
    ] {
        let spec: KernelModuleSpec = serde_json::from_value(bad.clone()).expect("a spec");
        assert!(spec.contradiction(&Meta::default()).is_some(), "{bad}");
    }
}

#[test]
fn files_of_a_module_heal_and_go_back_to_what_was_found() {
    if !enter("resource::kernel_module::tests::files_of_a_module_heal_and_go_back_to_what_was_found") {
        return;
    }
    stand_in();
    fs::create_dir_all("/etc/modprobe.d").expect("folder");
    fs::write(CONFIGURATION, "options br-netfilter a=0\n").expect("write");
    let wanted = json!({"kernel_modules/br_netfilter":
        {"blacklisted": true, "persisted": true, "options": {"a": 1, "b": "x,y"}}});
    assert_eq!(differences(&wanted).len(), 1);
    assert!(!Path::new(LOAD).exists(), "looking wrote something");
    converge_wholly(&wanted);
    assert_eq!(fs::read_to_string(LOAD).expect("read"), "br_netfilter\n");
    let text = "blacklist br_netfilter\noptions br_netfilter a=1 b=x,y\n";
    assert_eq!(fs::read_to_string(CONFIGURATION).expect("read"), text);
    fs::remove_file(LOAD).expect("remove");
    fs::write(CONFIGURATION, "").expect("write");
    converge_wholly(&wanted);
    assert_eq!(fs::read_to_string(CONFIGURATION).expect("read"), text);
    converge_wholly(&json!({}));
    assert!(!Path::new(LOAD).exists());
    assert_eq!(fs::read_to_string(CONFIGURATION).expect("read"), "options br_netfilter a=0\n");
    assert!(!Path::new("/run/modprobe").exists(), "nobody asked for it to be loaded");
}

#[test]
fn built_in_is_there_and_what_cannot_be_loaded_is_said() {
    if !enter("resource::kernel_module::tests::built_in_is_there_and_what_cannot_be_loaded_is_said") {
        return;
    }
    stand_in();
    converge_wholly(&json!({"kernel_modules/muster_inside": {"loaded": true, "persisted": false}}));
    let outcomes = converge(&json!({
        "kernel_modules/muster_inside": {"loaded": false},
        "kernel_modules/muster_nothing": {"loaded": true, "persisted": false},
    }));
    let outcome = outcome_of(&outcomes, "kernel_modules/muster_inside");
    assert_eq!(outcome.state, Some(ResourceState::Blocked), "{outcome:?}");
    let outcome = outcome_of(&outcomes, "kernel_modules/muster_nothing");
    assert_eq!(outcome.state, Some(ResourceState::Error), "{outcome:?}");
    assert!(outcome.message.contains("no such module"), "{outcome:?}");
    assert_eq!(fs::read_to_string("/run/modprobe").expect("read"), "-- muster_nothing\n");
}
