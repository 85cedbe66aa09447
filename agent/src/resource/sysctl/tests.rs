#![allow(clippy::disallowed_methods)]

use super::{assignment, parts_of, path_of, persisted, written_key};
use crate::resource::test_converger::{converge, converge_wholly, differences, outcome_of};
use crate::test_machine::enter_apart;
use muster_schema::resource::{Meta, ResourceSpec, SysctlSpec};
use muster_schema::state::ResourceState;
use serde_json::json;
use std::fs;
use std::path::Path;

const FORWARD: &str = "/proc/sys/net/ipv4/ip_forward";
const RANGE: &str = "/proc/sys/net/ipv4/ip_local_port_range";
const FILE: &str = "/etc/sysctl.d/zz-muster.conf";

#[test]
fn dots_and_slashes_name_the_same_parameter() {
    for (key, parts, written) in [
        ("net.ipv4.ip_forward", "net/ipv4/ip_forward", "net.ipv4.ip_forward"),
        ("net/ipv4/ip_forward", "net/ipv4/ip_forward", "net.ipv4.ip_forward"),
        ("net.ipv4.conf.eth0/100.rp_filter", "net/ipv4/conf/eth0.100/rp_filter", "net/ipv4/conf/eth0.100/rp_filter"),
        ("net/ipv4/conf/eth0.100/rp_filter", "net/ipv4/conf/eth0.100/rp_filter", "net/ipv4/conf/eth0.100/rp_filter"),
    ] {
        assert_eq!(parts_of(key), parts);
        assert_eq!(written_key(parts), written);
        assert_eq!(parts_of(&written_key(parts)), parts);
    }
    assert_eq!(path_of("kernel.sysrq").expect("a path").as_str(), "/proc/sys/kernel/sysrq");
    assert_eq!(assignment(" -a.b =  1  2"), Some(("a.b", "  1  2")));
    assert_eq!(assignment("# a.b = 1"), None);
    assert_eq!(persisted("a.b = 1\na/b = 2  3\n", "a.b").as_deref(), Some("2 3"));
}

#[test]
fn what_makes_no_sense_is_refused() {
    for bad in [
        json!({}),
        json!({"value": " "}),
        json!({"value": "1\n2"}),
        json!({"value": 1, "persist": false, "runtime": false}),
    ] {
        let spec: SysctlSpec = serde_json::from_value(bad.clone()).expect("a spec");
        assert!(spec.contradiction(&Meta::default()).is_some(), "{bad}");
    }
}

#[test]
fn kernel_and_file_heal_apart_and_go_back_to_what_was_found() {
    if !enter_apart("resource::sysctl::tests::kernel_and_file_heal_apart_and_go_back_to_what_was_found") {
        return;
    }
    let read = |path: &str| fs::read_to_string(path).expect("read");
    let found = (read(FORWARD), read(RANGE));
    let other: u8 = if found.0.trim() == "1" { 0 } else { 1 };
    let wanted = json!({
        "sysctls/net.ipv4.ip_forward": {"value": other},
        "sysctls/net.ipv4.ip_local_port_range": {"value": "20000   30000"},
        "sysctls/kernel.domainname": {"value": "example", "persist": false},
        "sysctls/vm.swappiness": {"value": "10", "runtime": false},
    });
    let swappiness = read("/proc/sys/vm/swappiness");
    converge_wholly(&wanted);
    assert_eq!(read(FORWARD).trim(), other.to_string());
    assert_eq!(read(RANGE), "20000\t30000\n");
    assert_eq!(read("/proc/sys/kernel/domainname"), "example\n");
    assert_eq!(read("/proc/sys/vm/swappiness"), swappiness, "only the file was asked for");
    let line =
        format!("net.ipv4.ip_forward = {other}\nnet.ipv4.ip_local_port_range = 20000 30000\nvm.swappiness = 10\n");
    assert_eq!(read(FILE), line);
    fs::write(FORWARD, &found.0).expect("write");
    assert_eq!(differences(&wanted).len(), 1);
    fs::write(FILE, "# by hand\nnet/ipv4/ip_forward=5\n").expect("write");
    converge_wholly(&wanted);
    assert_eq!(read(FORWARD).trim(), other.to_string());
    assert_eq!(read(FILE), format!("# by hand\n{line}"));
    fs::write(FILE, &line).expect("write");
    converge_wholly(&json!({}));
    assert_eq!((read(FORWARD), read(RANGE)), found);
    assert!(!Path::new(FILE).exists());
}

#[test]
fn what_the_kernel_does_not_have_or_take_is_said() {
    if !enter_apart("resource::sysctl::tests::what_the_kernel_does_not_have_or_take_is_said") {
        return;
    }
    let wanted = json!({
        "sysctls/net.muster.nothing": {"value": 1},
        "sysctls/net.ipv4.ip_local_port_range": {"value": "nonsense"},
    });
    let outcomes = converge(&wanted);
    let outcome = outcome_of(&outcomes, "sysctls/net.ipv4.ip_local_port_range");
    assert_eq!(outcome.state, Some(ResourceState::Error), "{outcome:?}");
    assert_eq!(fs::read_to_string(FILE).expect("read"), "net.muster.nothing = 1\n", "its line waits for the module");
    let outcomes = converge(&wanted);
    let outcome = outcome_of(&outcomes, "sysctls/net.muster.nothing");
    assert_eq!(outcome.state, Some(ResourceState::Blocked), "{outcome:?}");
    converge_wholly(&json!({"sysctls/net.muster.nothing": {"value": 1, "meta": {"state": "absent"}}}));
    assert!(!Path::new(FILE).exists());
}
