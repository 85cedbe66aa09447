use super::{Argument, Input, Manifest, Returned};
use serde_json::{Value, json};

/// As the manifests that Microsoft ships look.
fn example() -> Value {
    json!({
        "$schema": "https://aka.ms/dsc/schemas/v3/bundled/resource/manifest.json",
        "type": "Test.Files/Note", "description": "Notes", "tags": ["linux"], "version": "0.1.0",
        "get": {"executable": "note", "args": ["get", {"jsonInputArg": "--input", "mandatory": true}]},
        "set": {"executable": "note", "args": ["set"], "input": "stdin", "implementsPretest": true, "return": "state",
            "handlesExist": true, "requireSecurityContext": "elevated"},
        "test": {"executable": "note", "args": ["test"], "input": "env", "return": "stateAndDiff"},
        "delete": {"executable": "note", "args": ["delete", {"resourceTypeArg": "--type"}], "input": "stdin"},
        "export": {"executable": "note", "args": ["export"]},
        "whatIf": {"executable": "note", "args": ["set", "-w"], "return": "state"},
        "exitCodes": {"0": "Success", "2": "Invalid input"},
        "schema": {"embedded": {"type": "object", "required": ["name"], "additionalProperties": false,
            "properties": {"name": {"type": "string"}, "size": {"type": "integer", "readOnly": true}}}},
    })
}

fn load(manifest: &Value) -> Result<Manifest, String> {
    Manifest::load(manifest.to_string().as_bytes())
}

fn with(path: &str, value: Value) -> Result<Manifest, String> {
    let mut manifest = example();
    let (parent, name) = path.rsplit_once('/').unwrap();
    manifest.pointer_mut(parent).unwrap()[name] = value;
    load(&manifest)
}

fn without(name: &str) -> Result<Manifest, String> {
    let mut manifest = example();
    manifest.as_object_mut().unwrap().remove(name);
    load(&manifest)
}

#[test]
fn a_manifest_says_how_it_is_called() {
    let manifest = load(&example()).unwrap();
    assert_eq!(manifest.resource_type, "Test.Files/Note");
    let get = manifest.get.as_ref().unwrap();
    assert!(matches!(&get.args[1], Argument::Json(json) if json.json_input_arg == "--input"));
    assert_eq!(manifest.set.as_ref().unwrap().input, Some(Input::Stdin));
    let test = manifest.test.as_ref().unwrap();
    assert_eq!((test.input, test.returns), (Some(Input::Env), Some(Returned::StateAndDiff)));
    assert!(manifest.can_remove());
    assert_eq!(manifest.exit_codes["2"], "Invalid input");
    without("test").unwrap();
    without("get").unwrap();
    without("schema").unwrap();
}

#[test]
fn what_would_mean_something_else_is_refused() {
    for (path, value, why) in [
        (
            "/$schema",
            json!("https://raw.githubusercontent.com/PowerShell/DSC/main/schemas/2023/10/resource/manifest.json"),
            "third",
        ),
        ("/$schema", json!("https://aka.ms/dsc/schemas/v30/x.json"), "third"),
        ("/kind", json!("group"), "group"),
        ("/adapter", json!({"list": {"executable": "x"}, "inputKind": "full"}), "adapter"),
        ("/condition", json!("[equals(1, 2)]"), "condition"),
        ("/surprise", json!(1), "surprise"),
        ("/get/surprise", json!(1), "surprise"),
        ("/get/args", json!([{"surpriseArg": "-x"}]), "Argument"),
        ("/get/args", json!([{"jsonInputArg": "-x", "surprise": 1}]), "Argument"),
        ("/get/args", json!([{"jsonInputArg": "-x"}, {"jsonInputArg": "-y"}]), "twice"),
        ("/set/input", json!("arg"), "arg"),
        ("/set/input", json!({"arg": "{json}"}), ""),
        ("/set/input", Value::Null, "given the state"),
        ("/set/return", json!("diff"), "diff"),
        ("/get/executable", json!("../../bin/sh"), "program"),
        ("/set/requireSecurityContext", json!("someone"), "someone"),
    ] {
        let refused = with(path, value.clone()).err();
        assert!(refused.as_ref().is_some_and(|fault| fault.contains(why)), "{path} {value}: {refused:?}");
    }
    for needed in ["$schema", "type", "version"] {
        assert!(without(needed).unwrap_err().contains(needed), "{needed}");
    }
    let mut blind = example();
    blind.as_object_mut().unwrap().remove("get");
    blind["test"].as_object_mut().unwrap().remove("return");
    assert!(load(&blind).unwrap_err().contains("neither"));
}

#[test]
fn the_schema_that_it_holds_is_asked_first() {
    let manifest = load(&example()).unwrap();
    let check = |desired: Value| manifest.check(desired.as_object().unwrap());
    assert_eq!(check(json!({"name": "a"})), None);
    assert!(check(json!({"name": "a", "colour": 1})).unwrap().contains("colour"));
    assert!(check(json!({"name": "a", "size": 1})).unwrap().contains("read"));
    assert!(check(json!({})).unwrap().contains("needs"));
    assert!(manifest.is_read_only("size") && !manifest.is_read_only("name"));
}
