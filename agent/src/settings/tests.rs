#![allow(clippy::unwrap_used)]

use super::*;
use SettingsFormat::{Ini, Json, Toml, Yaml};
use serde_json::json;

fn key(dotted: &str) -> Vec<String> {
    dotted.split('.').map(str::to_owned).collect()
}

/// Writes, reads back, and takes it back: the text is as it was.
fn check(format: SettingsFormat, text: &str, at: &str, value: Value, expected: &str) {
    let at = key(at);
    let found = find_setting(format, text, &at).unwrap();
    let edited = set_setting(format, text, &at, Some(&value)).unwrap();
    assert_eq!(edited, expected);
    assert_eq!(find_setting(format, &edited, &at).unwrap(), Some(value.clone()));
    assert_eq!(set_setting(format, &edited, &at, Some(&value)).unwrap(), edited, "a fixed point");
    assert_eq!(set_setting(format, &edited, &at, found.as_ref()).unwrap(), text, "the way back");
}

#[test]
fn ini_settings_are_written_where_they_belong() {
    let text = "; head\ntop=1\n\n[a]\n# about x\nx=1\n\n[b]\ny = 2\n";
    check(Ini, text, "a.x", json!("5"), &text.replace("x=1", "x=5"));
    check(Ini, text, "b.y", json!("5"), &text.replace("y = 2", "y = 5"));
    check(Ini, text, "a.z", json!("5"), &text.replace("x=1\n", "x=1\nz=5\n"));
    check(Ini, text, "c.z", json!("5"), &format!("{text}\n[c]\nz=5\n"));
    check(Ini, text, "new", json!("5"), &text.replace("top=1\n", "top=1\nnew=5\n"));
    assert!(set_setting(Ini, "[a]\nx=1\nx=2\n", &key("a.x"), Some(&json!("3"))).is_err());
}

#[test]
fn json_settings_leave_the_form_of_everything_else() {
    let text = "{\n    \"a\": {\"x\": 1,   \"y\": [1, 2]},\n    \"b\":\t\"}\"\n}\n";
    check(Json, text, "a.x", json!(5), &text.replace("\"x\": 1", "\"x\": 5"));
    check(Json, text, "b", json!("q\"}"), &text.replace("\"}\"", "\"q\\\"}\""));
    check(Json, text, "a.z", json!(true), &text.replace("[1, 2]", "[1, 2], \"z\": true"));
    let added = "\"}\",\n    \"c\": {\n      \"d\": {\n        \"e\": 1\n      }\n    }\n}";
    check(Json, text, "c.d.e", json!(1), &text.replace("\"}\"\n}", added));
    check(Json, "{}\n", "a", json!("x"), "{\n  \"a\": \"x\"\n}\n");
    assert_eq!(set_setting(Json, text, &key("a.x"), None).unwrap(), text.replace("\"x\": 1,   ", ""));
    assert!(set_setting(Json, text, &key("b.x"), Some(&json!(1))).is_err());
    assert!(find_setting(Json, "{\"a\": }", &key("a")).is_err());
}

#[test]
fn toml_settings_keep_comments_and_order() {
    let text = "# head\nb = 1 # one\n\n[t.u] # table\nx = \"y\"\n";
    check(Toml, text, "b", json!(2), &text.replace("b = 1", "b = 2"));
    check(Toml, text, "t.u.x", json!(["a"]), &text.replace("\"y\"", "[\"a\"]"));
    check(Toml, text, "t.u.z", json!(true), &format!("{text}z = true\n"));
    check(Toml, text, "n.m", json!("v"), &format!("{text}\n[n]\nm = \"v\"\n"));
    assert!(find_setting(Toml, "a = \n", &key("a")).is_err());
}

#[test]
fn yaml_settings_keep_comments_and_order() {
    let text = "# head\na:\n  # inner\n  x: 1 # one\n  list:\n  - p\n  - q\n\nb: 'old'\n# tail\n";
    check(Yaml, text, "a.x", json!(2), &text.replace("x: 1", "x: 2"));
    check(Yaml, text, "b", json!("new # it"), &text.replace("'old'", "'new # it'"));
    let quoted = set_setting(Yaml, text, &key("b"), Some(&json!("it's"))).unwrap();
    assert_eq!(quoted, text.replace("'old'", "\"it's\""));
    check(Yaml, "a: one\n", "a", json!("two"), "a: two\n");
    check(Yaml, "a: \"one\" # why\n", "a", json!("yes"), "a: \"yes\" # why\n");
    check(Yaml, text, "a.z", json!(true), &text.replace("  - q\n", "  - q\n  z: true\n"));
    check(Yaml, text, "c.d", json!([1]), &text.replace("'old'\n", "'old'\nc:\n  d: [1]\n"));
    let listed = set_setting(Yaml, text, &key("a.list"), Some(&json!(["r"]))).unwrap();
    assert_eq!(listed, text.replace("list:\n  - p\n  - q\n", "list: [\"r\"]\n"));
    assert_eq!(set_setting(Yaml, text, &key("a.list"), None).unwrap(), text.replace("  list:\n  - p\n  - q\n", ""));
    check(Yaml, "# only\n", "a.b", json!("no"), "# only\na:\n  b: \"no\"\n");
}

#[test]
fn yaml_that_is_not_understood_is_left_alone() {
    for text in ["a: {x: 1}\n", "base: &b {x: 1}\na: *b\n", "a: &b\n  x: 1\nc: *b\n", "? a\n: b\n", "a:\n\tx: 1\n"] {
        assert!(set_setting(Yaml, text, &key("a.x"), Some(&json!(2))).is_err(), "{text}");
    }
    let text = "a: |\n  b: 1\nb: 2\n";
    check(Yaml, text, "b", json!(3), &text.replace("b: 2", "b: 3"));
    assert!(set_setting(Yaml, text, &key("a.b"), Some(&json!(2))).is_err());
}
