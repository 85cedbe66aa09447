#![allow(clippy::unwrap_used)]
use super::*;
use serde_json::{Value, json};

fn contradiction(attributes: Value) -> Option<String> {
    let spec: CheckSpec = serde_json::from_value(attributes).unwrap();
    spec.contradiction(&Meta::default())
}

#[test]
fn one_sound_probe_is_a_check() {
    for right in [
        json!({"tcp": "db.example.org:5432", "interval": 5, "severity": "wanted"}),
        json!({"tcp": "[::1]:80"}),
        json!({"http": {"url": "https://127.0.0.1:8443/health?deep=1", "status": 204, "verify": false}}),
        json!({"command": ["/bin/true"]}),
        json!({"unit": "nginx"}),
        json!({"disk": {"path": "/", "free_percent": 10}}),
        json!({"disk": {"path": "/var", "free_bytes": 1}}),
    ] {
        assert_eq!(contradiction(right.clone()), None, "{right}");
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    for wrong in [
        json!({}),
        json!({"tcp": "a:1", "unit": "b"}),
        json!({"tcp": "a"}),
        json!({"tcp": "a:0"}),
        json!({"tcp": "a:70000"}),
        json!({"tcp": ":80"}),
        json!({"tcp": "::1:80"}),
        json!({"tcp": "a:1", "interval": 0}),
        json!({"http": {"url": "ftp://a/"}}),
        json!({"http": {"url": "http://"}}),
        json!({"http": {"url": "http://user:secret@a/"}}),
        json!({"http": {"url": "http://a/", "status": 42}}),
        json!({"command": []}),
        json!({"unit": "a/b"}),
        json!({"disk": {"path": "var", "free_percent": 1}}),
        json!({"disk": {"path": "/"}}),
        json!({"disk": {"path": "/", "free_percent": 1, "free_bytes": 1}}),
        json!({"disk": {"path": "/", "free_percent": 101}}),
    ] {
        assert!(contradiction(wrong.clone()).is_some(), "{wrong}");
    }
    let zero = Meta { timeout: Some(0), ..Meta::default() };
    assert!(CheckSpec { tcp: Some("a:1".into()), ..CheckSpec::default() }.contradiction(&zero).is_some());
}
