#![allow(clippy::disallowed_methods)]

use super::rules::render_section;
use super::ruleset::Ruleset;
use crate::provider::apt::test_archive::run;
use crate::resource::test_converger::{converge, converge_wholly, differences, outcome_of};
use crate::test_machine::enter_apart;
use muster_schema::resource::{FirewallSpec, Meta, ResourceSpec};
use muster_schema::state::ResourceState;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;

const FILE: &str = "/etc/nftables.d/muster.nft";

fn spec(attributes: Value) -> FirewallSpec {
    serde_json::from_value(attributes).expect("a spec")
}

fn kernel() -> String {
    let output = Command::new("nft").args(["-s", "list", "ruleset"]).output().expect("nft");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_section_is_rules_apart_and_comes_back_from_the_file() {
    let section = render_section(&spec(json!({
        "policy": "drop", "ports": [80, "8000-8100", "ssh"], "protocol": "udp", "interfaces": ["eth0"],
        "sources": ["10.0.0.0/8", "::1", "10.1.1.1"], "action": "reject",
    })));
    let matched = "udp dport { 80, 8000-8100, ssh } reject";
    let expected = format!(
        "policy drop ; iifname {{ \"eth0\" }} ip saddr {{ 10.0.0.0/8, 10.1.1.1 }} {matched} ; \
         iifname {{ \"eth0\" }} ip6 saddr {{ ::1 }} {matched}"
    );
    assert_eq!(section, expected);
    let mut ruleset = Ruleset::parse("");
    ruleset.set("a".to_owned(), Some(section));
    ruleset.set("b".to_owned(), Some(render_section(&spec(json!({"policy": "accept"})))));
    assert!(Ruleset::parse(&ruleset.render()) == ruleset);
}

#[test]
fn what_nft_would_read_otherwise_is_refused() {
    for bad in [
        json!({}),
        json!({"ports": []}),
        json!({"ports": [0]}),
        json!({"ports": ["80 }; drop"]}),
        json!({"sources": ["10.0.0.0/33"]}),
        json!({"sources": ["example.org"]}),
        json!({"interfaces": ["eth0\" }"]}),
        json!({"ports": [22], "sources": []}),
    ] {
        assert!(spec(bad.clone()).contradiction(&Meta::default()).is_some(), "{bad}");
    }
    assert!(serde_json::from_value::<FirewallSpec>(json!({"policy": "reject"})).is_err());
}

#[test]
fn kernel_and_file_heal_apart_and_go_with_the_last_rule() {
    if !enter_apart("resource::firewall::tests::kernel_and_file_heal_apart_and_go_with_the_last_rule") {
        return;
    }
    if !Path::new("/usr/sbin/nft").exists() {
        println!("skipped: needs nftables");
        return;
    }
    run(Command::new("nft").args(["add", "table", "inet", "somebody"]));
    let _ = fs::remove_dir_all("/etc/nftables.d");
    let main = fs::read_to_string("/etc/nftables.conf").expect("read");
    let wanted = json!({
        "firewall/default": {"policy": "drop"},
        "firewall/web": {"ports": [80, 443], "sources": ["10.0.0.0/8", "fd00::/8"]},
        "firewall/odd.name": {"ports": ["ssh"], "action": "accept"},
    });
    assert_eq!(differences(&wanted).len(), 3);
    converge_wholly(&wanted);
    let right = kernel();
    assert!(right.contains("policy drop") && right.contains("table inet somebody"), "{right}");
    assert!(right.contains("ip saddr 10.0.0.0/8 tcp dport { 80, 443 } accept comment \"web 1/2 "), "{right}");
    assert!(right.contains("tcp dport 22 accept comment \"odd%2ename 1/1 "), "{right}");
    let file = fs::read_to_string(FILE).expect("read");
    run(Command::new("nft").args(["-c", "-f", "/etc/nftables.conf"]));
    // Each side by itself.
    run(Command::new("nft").args(["flush", "chain", "inet", "muster", "input"]));
    assert_eq!(differences(&wanted).len(), 3);
    converge_wholly(&wanted);
    assert_eq!(kernel(), right);
    fs::write(FILE, file.replace("10.0.0.0/8", "0.0.0.0/0")).expect("write");
    assert_eq!(differences(&wanted).len(), 1);
    converge_wholly(&wanted);
    assert_eq!((kernel(), fs::read_to_string(FILE).expect("read")), (right, file));
    fs::write("/etc/nftables.conf", &main).expect("write");
    assert_eq!(differences(&wanted).len(), 3, "a file that nothing loads is for no boot");
    converge_wholly(&wanted);
    // A mistake stops itself alone.
    let outcomes = converge(&json!({
        "firewall/web": {"ports": [8080]},
        "firewall/bad": {"ports": ["no-such-service"]},
    }));
    let bad = outcome_of(&outcomes, "firewall/bad");
    assert_eq!(bad.state, Some(ResourceState::Error), "{outcomes:?}");
    assert!(bad.message.contains("resolve service"), "{bad:?}");
    let now = kernel();
    assert!(now.contains("tcp dport 8080") && now.contains("policy accept") && !now.contains("odd"), "{now}");
    converge_wholly(&json!({}));
    assert_eq!(kernel(), "table inet somebody {\n}\n");
    assert!(!Path::new("/etc/nftables.d").exists());
    assert_eq!(fs::read_to_string("/etc/nftables.conf").expect("read"), main);
    fs::create_dir_all("/etc/ufw").expect("folder");
    fs::write("/etc/ufw/ufw.conf", "ENABLED=yes\n").expect("write");
    let outcomes = converge(&json!({"firewall/web": {"ports": [8080]}}));
    assert_eq!(outcome_of(&outcomes, "firewall/web").state, Some(ResourceState::Blocked), "{outcomes:?}");
}
