mod attack;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::load_yaml;
use crate::model::Node;

fn parse(text: &str) -> Node {
    load_yaml(&Arc::from("hosts/web1.yaml"), text.as_bytes()).expect("well-formed")
}

fn faults(text: &str) -> Vec<String> {
    match load_yaml(&Arc::from("hosts/web1.yaml"), text.as_bytes()) {
        Ok(node) => panic!("no fault found: {node:?}"),
        Err(findings) => findings.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn scalars_mean_what_people_wrote() {
    let document = "
a: no
b: 0644
c: 12
d: 1.10
e: ~
f: '12'
g: true
h: 0x1f
i: 1e3
j: 010.5
k: -7
l: 1.2.3
m: 99999999999999999999
";
    let expected = json!({
        "a": "no", "b": "0644", "c": 12, "d": 1.10, "e": null, "f": "12", "g": true,
        "h": "0x1f", "i": 1000.0, "j": 10.5, "k": -7, "l": "1.2.3", "m": "99999999999999999999",
    });
    assert_eq!(parse(document).to_json(), expected);
}

#[test]
fn everything_knows_its_place() {
    let tree = parse("settings:\n  nginx: {port: 80}\nlist:\n- a\n- 'b'\n");
    let place = |node: Option<&Node>| node.expect("there").place.to_string();
    let settings = tree.get("settings").and_then(|node| node.get("nginx"));
    assert_eq!(place(settings.and_then(|node| node.get("port"))), "hosts/web1.yaml:2:17");
    let key = settings.and_then(Node::as_map).and_then(|map| map.entry("port"));
    assert_eq!(key.expect("there").place.to_string(), "hosts/web1.yaml:2:11");
    let second = tree.get("list").and_then(Node::as_list).and_then(|list| list.get(1));
    assert_eq!(place(second), "hosts/web1.yaml:5:3");
    assert_eq!(second.expect("there").place_in_text(0).to_string(), "hosts/web1.yaml:5:4");
}

#[test]
fn aliases_stand_for_their_anchor() {
    let tree = parse("a: &x {b: [1, 2]}\nc: *x\n");
    assert_eq!(tree.to_json(), json!({"a": {"b": [1, 2]}, "c": {"b": [1, 2]}}));
}

#[test]
fn an_empty_document_is_null() {
    assert!(parse("").is_null());
    assert!(parse("# nothing yet\n").is_null());
}

#[test]
fn faults_name_their_place() {
    let table = [
        (
            "a: 1\nb: 2\na: 3\nb: 4\n",
            vec![
                "hosts/web1.yaml:3:1: duplicate key 'a', also in line 1",
                "hosts/web1.yaml:4:1: duplicate key 'b', also in line 2",
            ],
        ),
        (
            "a: {{ port }}\n",
            vec!["hosts/web1.yaml:1:5: a key cannot be a map or a list, put quotes around a template: \"{{ … }}\""],
        ),
        ("a: !secret b\n", vec!["hosts/web1.yaml:1:12: tags are not supported, quote the value to make it a string"]),
        ("a: 1\n---\nb: 2\n", vec!["hosts/web1.yaml:2:1: a file holds one document only"]),
        (
            "<<: 1\n",
            vec![
                "hosts/web1.yaml:1:1: merge keys ('<<') are not supported, put what is common into a profile or a parameter",
            ],
        ),
        ("a: &a [*a]\n", vec!["hosts/web1.yaml:1:8: an alias stands inside its own anchor"]),
    ];
    for (document, expected) in table {
        assert_eq!(faults(document), expected, "{document}");
    }
}

#[test]
fn a_syntax_error_is_one_finding() {
    let found = faults("a: [1, 2\nb: 'c\n");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("not well-formed YAML"), "{found:?}");
}

#[test]
fn bytes_that_are_not_text_are_a_finding() {
    let found = load_yaml(&Arc::from("a.yaml"), b"a: 1\nb: \xff\n").expect_err("refused");
    assert_eq!(found[0].to_string(), "a.yaml:2:4: the document is not UTF-8");
}
