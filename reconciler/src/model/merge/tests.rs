use std::sync::Arc;

use serde_json::json;

use super::{merge, unite, without_nulls};
use crate::model::{Node, load_yaml};

fn node(file: &str, text: &str) -> Node {
    load_yaml(&Arc::from(file), text.as_bytes()).expect("well-formed")
}

#[test]
fn maps_merge_and_the_rest_replaces() {
    let table = [
        ("{a: 1, b: {c: 2, d: 3}}", "{b: {c: 4}, e: 5}", json!({"a": 1, "b": {"c": 4, "d": 3}, "e": 5})),
        ("{a: [1, 2]}", "{a: [3]}", json!({"a": [3]})),
        ("{a: {b: 1}}", "{a: 2}", json!({"a": 2})),
        ("{a: 1}", "{a: {b: 2}}", json!({"a": {"b": 2}})),
        ("{a: 1, b: 2}", "{a: null}", json!({"b": 2})),
        ("{a: {b: 1, c: 2}}", "{a: {b: null}}", json!({"a": {"c": 2}})),
        ("{}", "{a: {b: null}}", json!({"a": {}})),
        ("{a: [null]}", "{}", json!({"a": [null]})),
    ];
    for (base, over, expected) in table {
        let merged = merge(&node("base", base), &node("over", over));
        assert_eq!(without_nulls(&merged).to_json(), expected, "{base} + {over}");
    }
}

#[test]
fn a_null_removes_through_layers() {
    let patch = merge(&node("a", "{x: 1}"), &node("b", "{x: null}"));
    let merged = merge(&node("base", "{x: 0, y: 2}"), &patch);
    assert_eq!(without_nulls(&merged).to_json(), json!({"y": 2}));
}

#[test]
fn each_value_keeps_its_place() {
    let merged = merge(&node("base", "a: 1\nb: {c: 2, d: 3}\n"), &node("over", "b:\n  c: 4\n"));
    let place = |outer: &str, inner: &str| merged.get(outer).and_then(|b| b.get(inner)).map(|n| n.place.to_string());
    assert_eq!(place("b", "c").as_deref(), Some("over:2:6"));
    assert_eq!(place("b", "d").as_deref(), Some("base:2:14"));
}

#[test]
fn equals_unite_and_differences_are_told() {
    let mut told = Vec::new();
    let united = unite(
        &node("one", "{a: 1, b: {c: 2}, l: [1]}"),
        &node("two", "{a: 1, b: {c: 3, d: 4}, l: [1]}"),
        "settings",
        &mut |path, first, second| told.push(format!("{path} {} {}", first.place, second.place)),
    );
    assert_eq!(united.to_json(), json!({"a": 1, "b": {"c": 2, "d": 4}, "l": [1]}));
    assert_eq!(told, ["settings.b.c one:1:15 two:1:15"]);
}
