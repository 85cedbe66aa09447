#![allow(clippy::disallowed_methods)]

use std::process::Command;

use muster_schema::resource::{Existence, PackageSpec};
use muster_schema::state::ResourceState;
use serde_json::json;

use super::{LATEST, VERSION};
use crate::host::Scope;
use crate::provider::apt::test_archive::{Archive, installed, run};
use crate::resource::test_converger::{converge, converge_wholly, differences, outcome_of};
use crate::resource::{ResourceError, ResourceType, State, Value};
use crate::test_machine::enter;

const HOST: Scope = Scope { sandbox: false, owners: true };

fn spec(version: &str) -> PackageSpec {
    PackageSpec { version: Some(version.to_owned()), ..PackageSpec::default() }
}

fn found(version: &str) -> State {
    State::present([(VERSION, version.to_owned().into()), ("hold", false.into())])
}

#[test]
fn a_lower_version_needs_leave() {
    let mut spec = spec("1:1.0");
    let wanted = spec.wanted(Existence::Present, HOST);
    assert!(matches!(spec.diff(&wanted, &found("1:1.1")), Err(ResourceError::Blocked(_))));
    assert!(spec.diff(&wanted, &found("2.0")).expect("higher").is_some(), "the epoch counts");
    assert_eq!(spec.diff(&wanted, &found("1:1.0-0")).expect("equal"), None);
    spec.allow_downgrade = Some(true);
    let change = spec.diff(&wanted, &found("1:1.1")).expect("allowed").expect("a change");
    assert_eq!(change.to_string(), "version: 1:1.1 → 1:1.0");
}

#[test]
fn an_upgrade_that_cannot_be_undone_stays() {
    let ours = spec("2.0");
    let back = spec("1.0").wanted(Existence::Present, HOST);
    assert!(matches!(ours.diff(&back, &found("2.0")), Err(ResourceError::Retained(_))));
    // What else there is goes back all the same.
    let back = back.with("hold", Some(true));
    let change = ours.diff(&back, &found("2.0")).expect("possible").expect("a change");
    assert_eq!(change.to_string(), "hold: false → true");
}

#[test]
fn a_virtual_package_is_there_when_something_provides_it() {
    let observed = State::present([("provided_by", vec!["exim4".to_owned()].into())]);
    let plain = PackageSpec::default();
    assert_eq!(plain.diff(&plain.wanted(Existence::Present, HOST), &observed).expect("right"), None);
    let versioned = spec("1");
    let wanted = versioned.wanted(Existence::Present, HOST);
    assert!(matches!(versioned.diff(&wanted, &observed), Err(ResourceError::Blocked(_))));
}

#[test]
fn latest_is_right_when_nothing_newer_is_to_be_had() {
    let spec = PackageSpec::default();
    let wanted = spec.wanted(Existence::Latest, HOST);
    let found = |upgradable: bool| {
        State::present([
            (VERSION, "1.0".into()),
            ("hold", false.into()),
            (LATEST, "1.0".into()),
            ("upgradable", Value::Bool(upgradable)),
        ])
    };
    assert_eq!(spec.diff(&wanted, &found(false)).expect("right"), None);
    let change = spec.diff(&wanted, &found(true)).expect("possible").expect("a change");
    assert_eq!(change.to_string(), "latest: 1.0 → true");
}

#[test]
fn what_is_asked_for_counts_more_than_what_was_found() {
    // From a version to the newest, and from the newest to a version: what was found is of neither the goal.
    let (newest, fixed) = (PackageSpec::default(), spec("1.5"));
    let wanted = newest.wanted(Existence::Latest, HOST);
    let (asked, found) = (wanted.state.get(VERSION), Value::from("1.0"));
    assert_eq!(newest.give_way(VERSION, asked, Some(&found)), None);
    assert_eq!(fixed.give_way(LATEST, None, Some(&found)), None);
    assert_eq!(newest.give_way(VERSION, None, Some(&found)), Some(found));
}

#[test]
fn packages_come_and_go_with_their_resources() {
    if !enter("resource::package::tests::packages_come_and_go_with_their_resources") {
        return;
    }
    let mut archive = Archive::new();
    archive.add("probe", "1.0", "Depends: probe-lib\n");
    archive.add("probe-lib", "1.0", "Provides: probe-abi\n");
    archive.add("found", "1.0", "");
    archive.add("found", "1.1", "");
    archive.refresh();
    run(Command::new("apt-get").args(["-qqy", "install", "found=1.0"]));
    converge_wholly(&json!({
        "packages/probe": {"version": "1.*", "hold": true},
        "packages/found": {"meta": {"state": "latest"}, "allow_downgrade": true},
        "packages/probe-abi": {},
    }));
    assert_eq!(installed("probe").as_deref(), Some("1.0"));
    assert_eq!(installed("found").as_deref(), Some("1.1"));

    // Drift: somebody removed it.
    run(Command::new("apt-get").args(["-qqy", "--allow-change-held-packages", "remove", "probe"]));
    let outcomes = converge(&json!({
        "packages/probe": {"version": "1.*", "hold": true},
        "packages/found": {"meta": {"state": "latest"}, "allow_downgrade": true},
    }));
    let needed = outcome_of(&outcomes, "packages/probe-abi");
    assert_eq!(needed.state, Some(ResourceState::Retained), "{needed:?}");
    assert_eq!(installed("probe").as_deref(), Some("1.0"));

    converge_wholly(&json!({}));
    assert_eq!(installed("probe"), None);
    assert_eq!(installed("probe-lib"), None, "it came with it");
    assert_eq!(installed("found").as_deref(), Some("1.0"));
}

#[test]
fn what_others_need_blocks_and_says_so() {
    if !enter("resource::package::tests::what_others_need_blocks_and_says_so") {
        return;
    }
    let mut archive = Archive::new();
    archive.add("probe", "1.0", "");
    archive.add("leans", "1.0", "Depends: probe\n");
    archive.add("good", "1.0", "");
    archive.refresh();
    converge_wholly(&json!({"packages/probe": {}}));
    run(Command::new("apt-get").args(["-qqy", "install", "leans"]));
    let outcomes = converge(&json!({"packages/good": {}, "packages/no-such": {}}));
    let blocked = outcome_of(&outcomes, "packages/probe");
    assert_eq!(blocked.state, Some(ResourceState::Blocked), "{blocked:?}");
    assert_eq!(blocked.message, "leans would be removed with it");
    assert_eq!(outcome_of(&outcomes, "packages/no-such").state, Some(ResourceState::Error));
    for there in ["good", "leans", "probe"] {
        assert!(installed(there).is_some(), "{there}");
    }

    run(Command::new("apt-get").args(["-qqy", "remove", "leans"]));
    converge(&json!({"packages/good": {}}));
    assert_eq!(installed("probe"), None, "tried again");
    assert!(differences(&json!({"packages/good": {}})).is_empty());
}

#[test]
fn what_is_absent_comes_back_when_its_resource_leaves() {
    if !enter("resource::package::tests::what_is_absent_comes_back_when_its_resource_leaves") {
        return;
    }
    let mut archive = Archive::new();
    archive.add("unwanted", "1.0", "");
    archive.refresh();
    run(Command::new("apt-get").args(["-qqy", "install", "unwanted"]));
    run(Command::new("apt-mark").args(["hold", "unwanted"]));
    let outcomes = converge(&json!({"packages/unwanted": {"meta": {"state": "absent"}}}));
    assert_eq!(outcome_of(&outcomes, "packages/unwanted").state, Some(ResourceState::Blocked), "it is held");
    run(Command::new("apt-mark").args(["unhold", "unwanted"]));
    converge_wholly(&json!({"packages/unwanted": {"meta": {"state": "absent"}}}));
    assert_eq!(installed("unwanted"), None);
    converge_wholly(&json!({}));
    assert_eq!(installed("unwanted").as_deref(), Some("1.0"));
}
