//! Commands on the machine that the tests run on; all that they write lies in a folder of the test's.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use crate::apply::{ManagedHost, Owed, Risk};
use crate::converge::{Converged, Converger, Extent};
use crate::host::RealHost;
use crate::io::clock;
use crate::io::host_keys::HostKeys;
use crate::known::Known;
use crate::ledger::Ledger;
use crate::secrets::Secrets;
use crate::store::Store;
use crate::vault::Vault;
use muster_schema::Sha256Digest;
use muster_schema::resource::{Enforcement, Resource};
use muster_schema::state::{Cause, ResourceState};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;

struct Machine {
    dir: tempfile::TempDir,
}

impl Machine {
    fn new() -> Machine {
        Machine { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Lines that commands left, in order.
    fn log(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path("log")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// A shell that adds a line to the log.
    fn says(&self, line: &str) -> Value {
        json!(["/bin/sh", "-c", format!("echo {line} >> {}", self.path("log").display())])
    }

    fn blob(&self, text: &str) -> Value {
        let blobs = Vault::open(&self.path("blobs")).unwrap();
        json!(blobs.keep_bytes(text.as_bytes()).unwrap())
    }

    fn converge(&self, resources: &Value) -> Converged {
        self.converge_for(resources, Cause::Intentional)
    }

    fn converge_for(&self, resources: &Value, cause: Cause) -> Converged {
        let managed = managed(self.dir.path());
        let mut resources: Vec<Resource> = serde_json::from_value(resources.clone()).unwrap();
        managed.host.as_read().secrets().unwrap().fill(&mut resources, &managed.blobs).unwrap();
        let mut converger = Converger::begin(managed, Vec::new(), Enforcement::Enforce, clock::now()).unwrap();
        converger.set_resources(resources).unwrap();
        converger.converge(cause, Extent::All, &|| false, clock::now).unwrap()
    }
}

fn managed(dir: &Path) -> ManagedHost {
    let (store, _) = Store::open(&dir.join("store")).unwrap();
    ManagedHost {
        host: Box::new(RealHost::open(Path::new("/")).unwrap().with_secrets(Arc::new(Secrets::new(keys(dir))))),
        ledger: Ledger::open(&dir.join("ledger")).unwrap(),
        originals: Vault::open(&dir.join("originals")).unwrap(),
        blobs: Arc::new(Vault::open(&dir.join("blobs")).unwrap()),
        known: Known::load(&store).unwrap(),
        owed: Owed::load(&store).unwrap(),
        risk: Risk::load(&store).unwrap(),
        store: Arc::new(store),
    }
}

fn keys(dir: &Path) -> Arc<HostKeys> {
    Arc::new(HostKeys::load_or_make(&dir.join("keys")).unwrap())
}

fn command(attributes: Value) -> Value {
    json!([{"address": "commands/it", "attributes": attributes}])
}

#[test]
fn a_guard_decides_whether_it_runs() {
    let machine = Machine::new();
    let marker = machine.path("marker");
    let run = command(json!({
        "argv": ["/bin/sh", "-c", format!("echo ran >> {} && touch {}", machine.path("log").display(), marker.display())],
        "creates": marker,
    }));
    assert_eq!(machine.converge(&run).outcomes[0].state, Some(ResourceState::Repaired));
    assert_eq!(machine.converge(&run).outcomes[0].state, Some(ResourceState::Compliant));
    assert_eq!(machine.log(), ["ran"]);
    std::fs::remove_file(&marker).unwrap();
    machine.converge(&run);
    assert_eq!(machine.log(), ["ran", "ran"]);

    let machine = Machine::new();
    machine.converge(&command(json!({"argv": machine.says("no"), "unless": ["true"]})));
    machine.converge(&command(json!({"argv": machine.says("no"), "only_if": ["false"]})));
    assert!(machine.log().is_empty());
}

#[test]
fn once_runs_once_for_each_value_and_survives_a_lost_store() {
    let machine = Machine::new();
    let migrate = |version: &str| command(json!({"argv": machine.says(version), "once": version}));
    machine.converge(&migrate("v1"));
    machine.converge(&migrate("v1"));
    std::fs::remove_dir_all(machine.path("store")).unwrap();
    machine.converge(&migrate("v1"));
    machine.converge(&migrate("v2"));
    assert_eq!(machine.log(), ["v1", "v2"]);
}

#[test]
fn without_a_guard_it_runs_once_and_is_never_compliant() {
    let machine = Machine::new();
    let run = command(json!({"argv": machine.says("ran")}));
    machine.converge(&run);
    assert_eq!(machine.converge(&run).outcomes[0].state, Some(ResourceState::Unknown));
    assert_eq!(machine.log(), ["ran"]);
}

#[test]
fn undo_runs_when_it_leaves_and_only_if_it_ran() {
    let machine = Machine::new();
    let undo = machine.blob(&format!("#!/bin/sh\necho undone >> {}\n", machine.path("log").display()));
    let run = |unless: &str| {
        command(json!({"argv": machine.says("done"), "once": "1", "unless": [unless], "undo": {"script": undo}}))
    };
    machine.converge(&run("false"));
    machine.converge(&json!([]));
    assert_eq!(machine.log(), ["done", "undone"]);
    machine.converge(&run("true"));
    machine.converge(&json!([]));
    assert_eq!(machine.log(), ["done", "undone"], "it did not run, so nothing is undone");
}

#[test]
fn a_failed_undo_is_tried_again() {
    let machine = Machine::new();
    let run = command(json!({
        "argv": machine.says("done"), "once": "1", "undo": {"argv": ["test", "-e", machine.path("allowed")]},
    }));
    machine.converge(&run);
    assert_eq!(machine.converge(&json!([])).outcomes[0].state, Some(ResourceState::Error));
    std::fs::write(machine.path("allowed"), "").unwrap();
    assert_eq!(machine.converge(&json!([])).outcomes[0].state, None);
    assert!(machine.converge(&json!([])).outcomes.is_empty());
}

#[test]
fn it_reacts_once_after_all_triggers() {
    let machine = Machine::new();
    let resources = |text: &str| {
        let content = machine.blob(text);
        let file = |name: &str| json!({"address": format!("files{}", machine.path(name).display()), "attributes": {"content": content}});
        let (a, b) = (file("a"), file("b"));
        json!([a, b, {
            "address": "commands/reload",
            "meta": {"run_on": [a["address"], b["address"]]},
            "attributes": {"argv": machine.says("reloaded")},
        }])
    };
    machine.converge(&resources("1"));
    assert_eq!(machine.log(), ["reloaded"]);
    machine.converge(&resources("1"));
    assert_eq!(machine.log(), ["reloaded"]);
    std::fs::write(machine.path("b"), "drift").unwrap();
    machine.converge_for(&resources("1"), Cause::Corrective);
    assert_eq!(machine.log(), ["reloaded", "reloaded"]);
}

#[test]
fn one_that_ran_after_its_triggers_does_not_react_to_them() {
    let machine = Machine::new();
    let marker = machine.path("marker");
    let resources = |text: &str| {
        let file = format!("files{}", machine.path("f").display());
        let argv = format!("echo ran >> {} && touch {}", machine.path("log").display(), marker.display());
        json!([
            {"address": file, "attributes": {"content": machine.blob(text)}},
            {"address": "commands/it", "meta": {"run_on": [file]}, "attributes": {
                "argv": ["/bin/sh", "-c", argv], "creates": marker,
            }},
        ])
    };
    machine.converge(&resources("1"));
    assert_eq!(machine.log(), ["ran"], "the guard and the file ask for one run");
    machine.converge(&resources("2"));
    assert_eq!(machine.log(), ["ran", "ran"], "the guard is content, and the file changed");
}

#[test]
fn a_failed_reaction_stays_owed() {
    let machine = Machine::new();
    let content = machine.blob("x");
    let file = format!("files{}", machine.path("f").display());
    let resources = json!([
        {"address": file, "attributes": {"content": content}},
        {"address": "commands/react", "meta": {"run_on": [file]}, "attributes": {"argv": ["test", "-e", machine.path("allowed")]}},
    ]);
    let state = |converged: &Converged| {
        converged.outcomes.iter().rev().find(|o| o.address.to_string() == "commands/react").unwrap().state
    };
    assert_eq!(state(&machine.converge(&resources)), Some(ResourceState::Error));
    std::fs::write(machine.path("allowed"), "").unwrap();
    assert_eq!(state(&machine.converge_for(&resources, Cause::Corrective)), Some(ResourceState::Repaired));
    assert_eq!(state(&machine.converge_for(&resources, Cause::Corrective)), Some(ResourceState::NotApplicable));
}

#[test]
fn validate_keeps_a_bad_file_out_and_confirm_takes_it_back() {
    let machine = Machine::new();
    let path = machine.path("conf");
    let resources = |text: &str, extra: Value| {
        let mut attributes = extra;
        attributes["content"] = machine.blob(text);
        json!([{"address": format!("files{}", path.display()), "attributes": attributes}])
    };
    machine.converge(&resources("good", json!({})));
    let validated = resources("bad", json!({"validate": ["grep", "-q", "good", "{path}"]}));
    let outcome = &machine.converge(&validated).outcomes[0];
    assert_eq!(outcome.state, Some(ResourceState::Error), "{}", outcome.message);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "good");

    let confirmed = resources("bad", json!({"confirm": ["grep", "-q", "good", path]}));
    let outcome = &machine.converge(&confirmed).outcomes[0];
    assert!(outcome.message.contains("not confirmed, and taken back"), "{}", outcome.message);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "good");
    let leftovers = std::fs::read_dir(machine.dir.path())
        .unwrap()
        .flatten()
        .map(|e| e.file_name())
        .filter(|n| n.to_string_lossy().starts_with(".muster"))
        .count();
    assert_eq!(leftovers, 0);

    machine.converge(&resources(
        "new and good",
        json!({"validate": ["grep", "-q", "good", "{path}"], "confirm": ["grep", "-q", "good", path]}),
    ));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "new and good");
    machine.converge(&json!([]));
    assert!(!path.exists());
}

#[test]
fn it_runs_where_as_whom_and_with_what_it_says() {
    let machine = Machine::new();
    let output = machine.path("out");
    let run = command(json!({
        "script": machine.blob("pwd; echo $COLOUR; id -un; cat\n"),
        "argv": ["/bin/sh", "-c", "exec /bin/sh \"$1\" > \"$OUT\"", "sh"],
        "stdin": machine.blob("told\n"),
        "cwd": "/usr", "env": {"COLOUR": "blue", "OUT": output}, "creates": output,
    }));
    let converged = machine.converge(&run);
    assert!(output.exists(), "{:?}", converged.outcomes);
    let told = std::fs::read_to_string(&output).unwrap();
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!((lines[0], lines[1], lines[3]), ("/usr", "blue", "told"));
}

#[test]
fn what_takes_too_long_is_ended_with_all_that_it_started() {
    let machine = Machine::new();
    let run = json!([{
        "address": "commands/slow", "meta": {"timeout": 1},
        "attributes": {"argv": ["/bin/sh", "-c", format!("sleep 30 & echo $! > {}; wait", machine.path("pid").display())], "once": "1"},
    }]);
    let outcome = &machine.converge(&run).outcomes[0];
    assert!(outcome.message.contains("longer than 1 s"), "{}", outcome.message);
    let pid = std::fs::read_to_string(machine.path("pid")).unwrap();
    let gone = || {
        !Path::new(&format!("/proc/{}/cmdline", pid.trim())).exists()
            || std::fs::read(format!("/proc/{}/cmdline", pid.trim())).unwrap_or_default().is_empty()
    };
    for _ in 0..100 {
        if gone() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("process {} lives on", pid.trim());
}

#[test]
fn secrets_come_by_environment_and_input_and_are_told_by_nobody() {
    let machine = Machine::new();
    let plaintext = "correct-horse-battery";
    let secret = || {
        let recipient: age::x25519::Recipient = keys(machine.dir.path()).recipient().parse().unwrap();
        let ciphertext = age::encrypt(&recipient, plaintext.as_bytes()).unwrap();
        let blobs = Vault::open(&machine.path("blobs")).unwrap();
        json!({"segments": [{"secret": {"name": "it", "ciphertext": blobs.keep_bytes(&ciphertext).unwrap()}}]})
    };
    // What the program is given, in a digest, and how it was called.
    let log = machine.path("log");
    let script =
        format!("(printf %s \"$TOKEN\" | sha256sum; sha256sum; tr '\\0' ' ' </proc/$$/cmdline) >> {}", log.display());
    let run = || {
        let attributes =
            json!({"argv": ["/bin/sh", "-c", script], "env": {"TOKEN": secret(), "PLAIN": "x"}, "stdin": secret()});
        command(attributes)
    };
    let converged = machine.converge(&run());
    assert_eq!(converged.outcomes[0].state, Some(ResourceState::Repaired), "{:?}", converged.outcomes);
    let digest = Sha256Digest::of(plaintext.as_bytes()).to_string();
    let log = std::fs::read_to_string(&log).unwrap();
    assert_eq!(log.matches(&format!("{digest}  -")).count(), 2, "{log}");
    // Another ciphertext of the same secrets is the same command.
    machine.converge(&run());
    assert_eq!(machine.log().len(), log.lines().count());

    let fails = || {
        command(
            json!({"argv": ["/bin/sh", "-c", "cat >&2; echo $TOKEN >&2; exit 3"], "env": {"TOKEN": secret()}, "stdin": secret()}),
        )
    };
    let failed = machine.converge(&fails());
    assert!(
        failed.outcomes[0].message.contains("ended with code 3: what it says is not told"),
        "{:?}",
        failed.outcomes
    );
    let all = format!("{log}{:?}{:?}", converged.outcomes, failed.outcomes);
    assert!(!all.contains(plaintext), "{all}");
    let holding =
        std::process::Command::new("grep").args(["-rlF", plaintext]).arg(machine.dir.path()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&holding.stdout), "");
}
