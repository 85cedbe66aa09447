//! Modules as resources of a host, on the real ansible-core of this machine.
#![allow(clippy::disallowed_methods)]

use crate::apply::Outcome;
use crate::resource::test_converger::{converge, differences, outcome_of};
use crate::test_machine::enter_with;
use muster_schema::state::ResourceState;
use serde_json::{Value, json};

const STAYS: &str = "what the Ansible module ansible.builtin.lineinfile did cannot be taken back";
const NEEDED: &[&str] = &["/usr/bin/ansible"];

fn resource(collection: &str, module: &str, id_argument: &str, attributes: Value) -> Value {
    json!({"collection": collection, "provider": {"ansible": module}, "id_argument": id_argument, "attributes": attributes})
}

fn is_repaired(outcomes: &[Outcome]) -> bool {
    outcomes.iter().any(|outcome| outcome.changed && outcome.state == Some(ResourceState::Repaired))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn a_module_is_a_resource() {
    if !enter_with(NEEDED, "extension::ansible::tests::a_module_is_a_resource") {
        return;
    }
    std::fs::write("/tmp/hosts", "127.0.0.1 localhost\n").unwrap();
    let attributes = json!({"path": "/tmp/hosts", "mode_": "0640"});
    let resources = json!({"host_lines/db": resource("host_lines", "ansible.builtin.lineinfile", "line", attributes)});
    let planned = differences(&resources).join("\n");
    assert!(planned.contains("+db") && planned.contains("cannot be taken back"), "{planned}");
    assert_eq!(read("/tmp/hosts"), "127.0.0.1 localhost\n", "a plan wrote");
    let outcomes = converge(&resources);
    assert!(is_repaired(&outcomes), "{outcomes:?}");
    assert_eq!(read("/tmp/hosts"), "127.0.0.1 localhost\ndb\n");
    assert_eq!(differences(&resources), Vec::<String>::new());
    std::fs::write("/tmp/hosts", "127.0.0.1 localhost\n").unwrap();
    let outcomes = converge(&resources);
    assert!(is_repaired(&outcomes), "drift is put right: {outcomes:?}");
    assert_eq!(read("/tmp/hosts"), "127.0.0.1 localhost\ndb\n");
    // It leaves: nothing is known to go back to, and that is said.
    let planned = differences(&json!({})).join("\n");
    assert!(planned.contains(STAYS), "{planned}");
    let outcomes = converge(&json!({}));
    let outcome = outcome_of(&outcomes, "host_lines/db");
    assert!(outcome.message == STAYS && !outcome.changed, "{outcomes:?}");
    assert_eq!(read("/tmp/hosts"), "127.0.0.1 localhost\ndb\n");
    assert_eq!(differences(&json!({})), Vec::<String>::new());
}

#[test]
fn absent_is_an_argument() {
    if !enter_with(NEEDED, "extension::ansible::tests::absent_is_an_argument") {
        return;
    }
    std::fs::write("/tmp/hosts", "127.0.0.1 localhost\ndb\n").unwrap();
    let mut line = resource("host_lines", "ansible.builtin.lineinfile", "line", json!({"path": "/tmp/hosts"}));
    line["meta"] = json!({"state": "absent"});
    let resources = json!({"host_lines/db": line});
    let outcomes = converge(&resources);
    assert!(is_repaired(&outcomes), "{outcomes:?}");
    assert_eq!(read("/tmp/hosts"), "127.0.0.1 localhost\n");
    assert_eq!(differences(&resources), Vec::<String>::new());
    let planned = differences(&json!({})).join("\n");
    assert!(planned.contains(STAYS), "{planned}");
}

#[test]
fn what_cannot_tell_is_unknown_and_never_run() {
    if !enter_with(NEEDED, "extension::ansible::tests::what_cannot_tell_is_unknown_and_never_run") {
        return;
    }
    let resources = json!({
        "runs/tmp": resource("runs", "ansible.builtin.command", "chdir", json!({"_raw_params": "touch ran"})),
        "waits/x": resource("waits", "ansible.builtin.wait_for", "path", json!({"timeout": 1})),
        "nothing/x": resource("nothing", "ansible.builtin.nonsense", "name", json!({})),
    });
    let outcomes = converge(&resources);
    for address in ["runs/tmp", "waits/x"] {
        let outcome = outcome_of(&outcomes, address);
        assert_eq!(outcome.state, Some(ResourceState::Unknown), "{outcome:?}");
        assert!(!outcome.changed && outcome.message.contains("cannot tell"), "{outcome:?}");
    }
    let outcome = outcome_of(&outcomes, "nothing/x");
    assert_eq!(outcome.state, Some(ResourceState::Error), "{outcome:?}");
    assert!(outcome.message.contains("there is no module"), "{outcome:?}");
    assert!(!std::path::Path::new("/tmp/ran").exists());
}
