use super::satisfies;
use serde_json::json;

#[test]
fn what_is_wanted_has_to_be_there_and_no_more() {
    for (wanted, found) in [
        (json!("a"), json!("a")),
        (json!({"a": 1}), json!({"a": 1, "b": 2})),
        (json!([1, "a", {"x": 1}]), json!([{"x": 1, "y": 2}, 1, "a"])),
        (json!({"a": {"b": [2, 1]}}), json!({"a": {"b": [1, 2], "c": null}})),
        (json!(null), json!(null)),
    ] {
        assert!(satisfies(&wanted, &found), "{wanted} {found}");
    }
    for (wanted, found) in [
        (json!("a"), json!("A")),
        (json!({"a": 1}), json!({"b": 1})),
        (json!({"a": null}), json!({})),
        (json!([1, 2]), json!([1, 2, 3])),
        (json!([1, 2]), json!([1, 1])),
        (json!(1), json!("1")),
        (json!({}), json!([])),
    ] {
        assert!(!satisfies(&wanted, &found), "{wanted} {found}");
    }
}
