#![allow(clippy::unwrap_used)]
use super::*;
use serde_json::{Value, json};

fn contradiction(attributes: Value) -> Option<String> {
    serde_json::from_value::<RebootSpec>(attributes).unwrap().contradiction(&Meta::default())
}

#[test]
fn windows_and_reasons_are_checked() {
    for right in [
        json!({"needed": true}),
        json!({"needed": true, "delay": 5, "message": "maintenance"}),
        json!({"needed": true, "window": {"from": "22:00", "to": "04:30", "days": ["sat"], "timezone": "Etc/GMT+1"}}),
    ] {
        assert_eq!(contradiction(right.clone()), None, "{right}");
    }
    for wrong in [
        json!({}),
        json!({"needed": false}),
        json!({"needed": true, "delay": 100_000}),
        json!({"needed": true, "message": "two\nlines"}),
        json!({"needed": true, "window": {"from": "2:00", "to": "04:00"}}),
        json!({"needed": true, "window": {"from": "24:00", "to": "04:00"}}),
        json!({"needed": true, "window": {"from": "04:00", "to": "04:00"}}),
        json!({"needed": true, "window": {"from": "02:00", "to": "04:00", "days": []}}),
        json!({"needed": true, "window": {"from": "02:00", "to": "04:00", "timezone": "../etc/passwd"}}),
    ] {
        assert!(contradiction(wrong.clone()).is_some(), "{wrong}");
    }
    let reacts = Meta { run_on: vec!["files/etc/a".parse().unwrap()], ..Meta::default() };
    assert_eq!(RebootSpec::default().contradiction(&reacts), None);
}
