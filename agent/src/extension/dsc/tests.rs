//! A command resource as others write them: a program in Python with its manifest. Its things are files of JSON.
#![allow(clippy::disallowed_methods)]

use super::DscResources;
use crate::extension::{ExtensionRead, ExtensionWrite, Thing};
use crate::host::HostPath;
use crate::resource::{Change, ResourceError, State};
use muster_schema::resource::{Existence, ExtensionProvider, ExtensionSpec};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PROGRAM: &str = r#"#!/usr/bin/python3
import json, os, sys
here = os.path.dirname(os.path.abspath(__file__))
verb = sys.argv[1]
if verb in ('get', 'test'):
    state = json.loads(sys.argv[3]) if len(sys.argv) > 3 else dict(os.environ)
else:
    state = json.load(sys.stdin)
path = os.path.join(here, 'things', state['name'])
def read():
    try:
        return json.load(open(path))
    except FileNotFoundError:
        return {'name': state['name'], '_exist': False}
open(os.path.join(here, 'calls'), 'a').write(verb + '\n')
if verb == 'get':
    print(json.dumps(read(), indent=2))
elif verb == 'test':
    found = read()
    print(json.dumps(found))
    print(json.dumps([key for key in ('text', 'size') if key in state and str(found.get(key)) != state[key]]))
elif verb == 'set':
    if state.get('text') == 'refuse':
        print(json.dumps({'error': 'refused by the resource'}), file=sys.stderr)
        sys.exit(2)
    things = read()
    things.pop('_exist', None)
    things.update(state)
    json.dump(things, open(path, 'w'))
    print(json.dumps(things))
elif verb == 'delete':
    os.remove(path)
elif verb == 'hang':
    import time
    time.sleep(1000)
"#;

struct Host {
    folder: TempDir,
    resources: DscResources,
}

impl Host {
    fn new(change: impl FnOnce(&mut Value)) -> Host {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        std::fs::create_dir(folder.path().join("things")).unwrap();
        let program = folder.path().join("note");
        std::fs::write(&program, PROGRAM).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let mut manifest = json!({
            "$schema": "https://aka.ms/dsc/schemas/v3/bundled/resource/manifest.json",
            "type": "Test.Files/Note", "version": "0.1.0",
            "get": {"executable": "note", "args": ["get", {"jsonInputArg": "--input", "mandatory": true}]},
            "set": {"executable": "note", "args": ["set"], "input": "stdin", "return": "state"},
            "delete": {"executable": "note", "args": ["delete"], "input": "stdin"},
            "exitCodes": {"0": "Success", "2": "Invalid input"},
        });
        change(&mut manifest);
        let host = Host {
            resources: DscResources::new(vec![HostPath::new(folder.path().to_str().unwrap()).unwrap()]),
            folder,
        };
        host.write("note.dsc.resource.json", &manifest.to_string(), 0o644);
        host
    }

    fn write(&self, name: &str, text: &str, mode: u32) {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
    }

    fn thing(&self, name: &str) -> Option<Value> {
        let text = std::fs::read(self.folder.path().join("things").join(name)).ok()?;
        Some(serde_json::from_slice(&text).unwrap())
    }

    fn put(&self, name: &str, thing: Value) {
        std::fs::write(self.folder.path().join("things").join(name), thing.to_string()).unwrap();
    }

    fn calls(&self) -> Vec<String> {
        let path = self.folder.path().join("calls");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let _ = std::fs::remove_file(path);
        text.lines().map(str::to_owned).collect()
    }

    fn observe(&self, attributes: Value, existence: Existence) -> Result<State, ResourceError> {
        let spec = spec(attributes);
        self.resources.observe(&Thing { id: "a", spec: &spec, existence, timeout: Some(Duration::from_secs(20)) })
    }

    fn see(&self, attributes: Value) -> Value {
        match self.observe(attributes, Existence::Present).unwrap() {
            State::Absent => Value::Null,
            State::Present(attributes) => crate::resource::json_of(&attributes).into(),
        }
    }

    fn apply(&self, attributes: Value, before: State, after: State) -> Result<(), ResourceError> {
        let spec = spec(attributes);
        let existence = if after == State::Absent { Existence::Absent } else { Existence::Present };
        let thing = Thing { id: "a", spec: &spec, existence, timeout: Some(Duration::from_secs(1)) };
        self.resources.apply(&thing, &Change { before, after })
    }
}

fn spec(attributes: Value) -> ExtensionSpec {
    ExtensionSpec {
        collection: "notes".parse().unwrap(),
        provider: ExtensionProvider::Dsc("Test.Files/Note".to_owned()),
        id_argument: Some("name".to_owned()),
        order: None,
        attributes: attributes.as_object().unwrap().clone(),
    }
}

fn present(attributes: Value) -> State {
    State::Present(crate::resource::load_attributes(attributes.as_object().unwrap()))
}

#[test]
fn a_thing_is_made_changed_put_back_and_removed() {
    let host = Host::new(|_| {});
    let wanted = json!({"text": "hello", "mode_": "0644"});
    assert_eq!(host.see(wanted.clone()), Value::Null);
    host.apply(wanted.clone(), State::Absent, present(wanted.clone())).unwrap();
    assert_eq!(host.thing("a").unwrap(), json!({"name": "a", "text": "hello", "mode": "0644"}));
    assert_eq!(host.see(wanted.clone()), wanted);
    // Somebody changes it; one attribute is put right, and what the resource needs goes with it.
    host.put("a", json!({"name": "a", "text": "drift", "mode": "0644"}));
    let found = host.see(wanted.clone());
    assert_eq!(found, json!({"text": "drift", "mode_": "0644"}));
    host.calls();
    host.apply(wanted.clone(), present(json!({"text": "drift"})), present(json!({"text": "hello"}))).unwrap();
    assert_eq!(host.calls(), ["set"]);
    assert_eq!(host.thing("a").unwrap(), json!({"name": "a", "text": "hello", "mode": "0644"}));
    // The way back.
    host.apply(wanted.clone(), present(json!({"text": "hello"})), present(json!({"text": "drift"}))).unwrap();
    assert_eq!(host.thing("a").unwrap()["text"], "drift");
    host.apply(wanted.clone(), present(wanted.clone()), State::Absent).unwrap();
    assert_eq!(host.thing("a"), None);
    assert_eq!(host.see(wanted), Value::Null);
}

#[test]
fn lists_and_objects_are_compared_as_dsc_does() {
    let host = Host::new(|_| {});
    host.put("a", json!({"name": "a", "tags": ["b", "a"], "more": {"x": 1, "y": 2}, "other": true}));
    let wanted = json!({"tags": ["a", "b"], "more": {"x": 1}});
    assert_eq!(host.see(wanted), json!({"tags": ["a", "b"], "more": {"x": 1}, "other": true}));
    let other = json!({"tags": ["a"], "more": {"x": 2}});
    assert_eq!(host.see(other), json!({"tags": ["b", "a"], "more": {"x": 1, "y": 2}, "other": true}));
}

#[test]
fn its_own_test_has_the_last_word() {
    let host = Host::new(|manifest| {
        manifest["test"] = json!({"executable": "./note", "args": ["test"], "input": "env", "return": "stateAndDiff"});
    });
    host.put("a", json!({"name": "a", "text": "x", "size": 3}));
    host.calls();
    // To it "3" and 3 are the same.
    assert_eq!(host.see(json!({"size": "3", "text": "x"})), json!({"size": "3", "text": "x"}));
    assert_eq!(host.see(json!({"text": "y"})), json!({"text": "x", "size": 3}));
    assert_eq!(host.calls(), ["test", "test"]);
    let refused = host.observe(json!({"LD_PRELOAD": "/tmp/x.so"}), Existence::Present).unwrap_err();
    assert!(refused.to_string().contains("variable"), "{refused}");
}

#[test]
fn what_is_in_desired_state_by_its_own_word_is() {
    let script = |answer: &str| format!("#!/bin/sh\necho '{answer}'\n");
    let host = Host::new(|manifest| {
        manifest["test"] = json!({"executable": "says", "args": [], "input": "stdin", "return": "state"});
    });
    host.write("says", &script(r#"{"version": "3.1", "_inDesiredState": true}"#), 0o755);
    assert_eq!(host.see(json!({"version": "latest"})), json!({"version": "latest"}));
    host.write("says", &script(r#"{"version": "3.1", "_inDesiredState": false}"#), 0o755);
    assert_eq!(host.see(json!({"version": "latest"})), json!({"version": "3.1"}));
    assert_eq!(host.see(json!({"version": "3.1"})), json!({}), "a difference that is not to be seen");
    host.write("says", &script(r#"{"_inDesiredState": "yes"}"#), 0o755);
    assert!(host.observe(json!({"version": "1"}), Existence::Present).is_err());
}

#[test]
fn set_may_remove_and_what_cannot_says_so() {
    let host = Host::new(|manifest| {
        manifest.as_object_mut().unwrap().remove("delete");
        manifest["set"]["handlesExist"] = true.into();
    });
    host.put("a", json!({"name": "a"}));
    host.apply(json!({}), present(json!({})), State::Absent).unwrap();
    assert_eq!(host.thing("a").unwrap(), json!({"name": "a", "_exist": false}));
    assert_eq!(host.observe(json!({}), Existence::Absent).unwrap(), State::Absent);

    let host = Host::new(|manifest| drop(manifest.as_object_mut().unwrap().remove("delete")));
    host.put("a", json!({"name": "a"}));
    let seen = host.observe(json!({}), Existence::Absent).unwrap();
    assert_eq!(seen.get(crate::resource::REMOVABLE), Some(&false.into()));
    let error = host.apply(json!({}), present(json!({})), State::Absent).unwrap_err();
    assert!(matches!(error, ResourceError::Retained(_)), "{error:?}");
    assert!(host.thing("a").is_some());
}

#[test]
fn failures_are_told_in_the_words_of_the_resource() {
    let host = Host::new(|_| {});
    let wanted = json!({"text": "refuse"});
    let error = host.apply(wanted.clone(), State::Absent, present(wanted)).unwrap_err().to_string();
    assert!(error.ends_with("set: it ended with code 2 (Invalid input): refused by the resource"), "{error}");
}

#[test]
fn what_hangs_floods_or_babbles_is_one_error() {
    let with = |executable: &str, args: Value| {
        Host::new(|manifest| manifest["get"] = json!({"executable": executable, "args": args}))
    };
    let fails = |host: &Host| {
        let thing = spec(json!({}));
        let thing =
            Thing { id: "a", spec: &thing, existence: Existence::Present, timeout: Some(Duration::from_secs(1)) };
        host.resources.observe(&thing).unwrap_err().chain()
    };
    let begin = Instant::now();
    let error = fails(&with("sleep", json!(["1000"])));
    assert!(error.contains("took longer than 1 s") && begin.elapsed() < Duration::from_secs(10), "{error}");
    let error = fails(&with("head", json!(["-c", "9000000", "/dev/zero"])));
    assert!(error.contains("bytes or more"), "{error}");
    let error = fails(&with("echo", json!(["hello"])));
    assert!(error.contains("no JSON object"), "{error}");
    let error = fails(&with("/no/such/program", json!([])));
    assert!(error.contains("/no/such/program"), "{error}");
}

#[test]
fn only_what_nobody_else_can_write_is_run() {
    let blocked = |host: &Host| match host.observe(json!({}), Existence::Present).unwrap_err() {
        ResourceError::Blocked(reason) => reason,
        other => panic!("{other:?}"),
    };
    let host = Host::new(|_| {});
    host.write("note", PROGRAM, 0o775);
    assert!(blocked(&host).contains("written by others"));
    host.write("note", PROGRAM, 0o755);
    host.write("note.dsc.resource.json", "{}", 0o666);
    assert!(blocked(&host).contains("no DSC resource"));
    let host = Host::new(|_| {});
    std::fs::set_permissions(host.folder.path(), PermissionsExt::from_mode(0o777)).unwrap();
    assert!(blocked(&host).contains("written by others"));
    let host = Host::new(|_| {});
    let manifest = std::fs::read_to_string(host.folder.path().join("note.dsc.resource.json")).unwrap();
    host.write("other.dsc.resource.json", &manifest, 0o644);
    assert!(blocked(&host).contains("both are"));
    let host = Host::new(|manifest| manifest["condition"] = "[true()]".into());
    assert!(blocked(&host).contains("condition"));
    assert!(host.calls().is_empty() && Path::new(host.folder.path()).exists());
}

#[test]
fn a_shell_sees_nothing_of_a_value() {
    let host = Host::new(|_| {});
    let mark = host.folder.path().join("mark");
    let text = format!("$(touch {0}); `touch {0}` ' \" \n", mark.display());
    let wanted = json!({"text": text});
    host.apply(wanted.clone(), State::Absent, present(wanted)).unwrap();
    assert_eq!(host.thing("a").unwrap()["text"], text);
    assert!(!mark.exists());
}
