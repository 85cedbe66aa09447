use std::sync::Arc;

use muster_schema::Collection;
use muster_schema::document::{FleetDocument, HostDocument, attributes_schema, document_schema};
use serde_json::json;

use super::Shape;
use super::check::Templates;
use crate::model::load_yaml;

fn check(shape: &Shape, document: &str) -> Vec<String> {
    let node = load_yaml(&Arc::from("f.yaml"), document.as_bytes()).expect("well-formed");
    let mut found = Vec::new();
    shape.check(&node, "the document", Templates::Allowed, &mut found);
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn every_fault_is_found_at_its_place() {
    let shape = Shape::of_schema(&document_schema::<HostDocument>());
    let document =
        "key: RWbad\nlabel: {role: web}\nlabels: {role: 5}\non_retire: revrt\nmachine: {}\nmode: 1\nsettings: []\n";
    assert_eq!(
        check(&shape, document),
        [
            "f.yaml:1:6: 'key' does not match the pattern ^RW[A-Za-z0-9+/]{54}$, it means: a minisign public key",
            "f.yaml:2:1: unknown field 'label', did you mean 'labels'?",
            "f.yaml:3:16: 'role' must be a string, not an integer, quote it",
            "f.yaml:5:1: 'machine' is not supported yet",
            "f.yaml:6:7: 'mode' must be enforce, audit or apply_once, not 1",
            "f.yaml:4:12: 'on_retire' must be keep or revert, not 'revrt', did you mean 'revert'?",
            "f.yaml:7:11: 'settings' must be a map, not a list",
        ]
    );
}

#[test]
fn required_fields_and_ranges_are_checked() {
    let shape = Shape::of_schema(&document_schema::<FleetDocument>());
    assert_eq!(
        check(&shape, "schema: 2\n"),
        ["f.yaml:1:9: 'schema' is 2, more than 1", "f.yaml:1:1: field 'fleet' is missing",]
    );
}

#[test]
fn attributes_take_templates_and_nothing_else_unfit() {
    let shape = Shape::of_schema(&attributes_schema(Collection::Files));
    assert!(check(&shape, "mode: '{{ mode }}'\nvalidate: [a, '{{ b }}']\nwhen: '{{ x }}'\n").is_empty());
    assert!(check(&shape, "mode: audit\n").is_empty());
    assert!(check(&shape, "mode: 0644\nowner: null\neach: {a: 1}\n").is_empty());
    assert_eq!(check(&shape, "mode: 644\n"), ["f.yaml:1:7: 'mode' must be a string, not an integer, quote it",]);
    assert_eq!(
        check(&shape, "mode: '0999'\nownr: root\nvalidate: [a, 1.5]\n"),
        [
            "f.yaml:1:7: 'mode' does not match the pattern ^[0-7]{3,4}$, it means: octal permission bits, as in \"0644\"",
            "f.yaml:2:1: unknown field 'ownr', did you mean 'owner'?",
            "f.yaml:3:15: an item of 'validate' must be a string, not a float, quote it",
        ]
    );
}

#[test]
fn computed_integers_become_text_where_text_is_wanted() {
    let shape = Shape::of_schema(&attributes_schema(Collection::Commands));
    let document = "argv: [sleep, 5]\nretry: 3\nenv: {N: 7}\nscript: 9\n";
    let node = load_yaml(&Arc::from("f.yaml"), document.as_bytes()).expect("well-formed");
    let expected = json!({"argv": ["sleep", "5"], "retry": 3, "env": {"N": "7"}, "script": "9"});
    assert_eq!(shape.coerce(&node).to_json(), expected);
}
