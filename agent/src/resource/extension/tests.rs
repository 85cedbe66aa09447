#![allow(clippy::disallowed_methods)]

use super::*;
use crate::resource::test_converger::{converge_wholly, keep_blob};
use crate::test_machine::enter_with;
use muster_schema::state::ResourceState;
use serde_json::json;

fn map(value: serde_json::Value) -> Map<String, serde_json::Value> {
    value.as_object().cloned().unwrap()
}

#[test]
fn attributes_come_back_from_a_ledger_as_they_were() {
    let given = map(json!({
        "text": "a", "yes": true, "count": 3, "debt": -3, "none": null, "list": ["b", "a"],
        "map": {"b": 1, "a": [{"sha256": "x", "size": 1}]}, "secret": {"secret": "s"},
    }));
    let attributes = load_attributes(&given);
    let state = State::Present(attributes.clone());
    let back: State = serde_json::from_slice(&serde_json::to_vec(&state).unwrap()).unwrap();
    assert_eq!(back, state);
    assert_eq!(json_of(&attributes), given);
    // The order of a list means something.
    assert_ne!(load_attributes(&map(json!({"list": ["a", "b"]}))).get("list"), attributes.get("list"));
}

#[test]
fn what_cannot_be_removed_says_so_beforehand() {
    let spec = ExtensionSpec {
        collection: "greetings".parse().unwrap(),
        provider: ExtensionProvider::Plugin("greeting".to_owned()),
        id_argument: None,
        order: None,
        attributes: Map::new(),
    };
    let observed = State::present([(REMOVABLE, false.into())]);
    assert!(matches!(spec.diff(&Wanted::absent(), &observed), Err(ResourceError::Retained(_))));
    let removed = spec.diff(&Wanted::absent(), &State::present([])).unwrap().unwrap();
    assert!(removed.removes());
}

/// The plug-in of the book.
const EXAMPLE: &[u8] = include_bytes!("../../../../docs/examples/greeting");

#[test]
fn a_plug_in_that_comes_with_a_run_is_asked_in_it() {
    let test = "resource::extension::tests::a_plug_in_that_comes_with_a_run_is_asked_in_it";
    if !enter_with(&["/usr/bin/python3"], test) {
        return;
    }
    let plugin = "files/usr/lib/muster/plugins/greeting";
    let outcomes = converge_wholly(&json!({
        "directories/usr/lib/muster": {},
        "directories/usr/lib/muster/plugins": {},
        "directories/var/lib/greetings": {},
        plugin: {"content": keep_blob(EXAMPLE), "mode": "0755"},
        "greetings/anna": {
            "meta": {"requires": [plugin, "directories/var/lib/greetings"]},
            "collection": "greetings", "provider": {"plugin": "greeting"}, "attributes": {"text": "hello"},
        },
    }));
    assert_eq!(std::fs::read_to_string("/var/lib/greetings/anna").unwrap(), "hello");
    let told = outcomes.iter().filter(|outcome| outcome.address.to_string() == "greetings/anna");
    let told: Vec<_> = told.map(|outcome| (outcome.state, outcome.message.as_str())).collect();
    assert_eq!(told[0], (Some(ResourceState::Repaired), "create"), "nobody is told of a fault that is none: {told:?}");
    converge_wholly(&json!({}));
    assert!(!std::path::Path::new("/var/lib/greetings").exists());
}
