use super::*;
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
