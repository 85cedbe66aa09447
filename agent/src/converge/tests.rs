//! Converging real files in a folder: what is on disk counts.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod archives;
mod bad_input;
mod certificates;
mod checkouts;
mod confirm;
mod downloads;
mod edits;
mod exceptions;
mod extended;
mod inverse;
mod properties;
mod purge;
mod recurse;
mod reversible;

use super::*;
use crate::apply::{Owed, Risk};
use crate::host::{Notes, RealHost};
use crate::known::Known;
use crate::ledger::Ledger;
use crate::store::Store;
use crate::vault::Vault;
use muster_schema::state::ResourceState;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

struct Sandbox {
    dir: tempfile::TempDir,
}

/// State and message of a resource in the last look.
fn last_of(converged: &Converged, address: &str) -> (Option<ResourceState>, String) {
    let outcome = converged.outcomes.iter().rfind(|one| one.address.to_string() == address).unwrap();
    (outcome.state, outcome.message.clone())
}

fn now() -> Timestamp {
    Timestamp(1_700_000_000_000)
}

impl Sandbox {
    fn new() -> Sandbox {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("root/etc")).unwrap();
        Sandbox { dir }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join("root").join(path)
    }

    /// What is on disk: content and mode.
    fn file(&self, path: &str) -> (String, u32) {
        let path = self.path(path);
        (fs::read_to_string(&path).unwrap(), fs::metadata(&path).unwrap().permissions().mode() & 0o7777)
    }

    fn write(&self, path: &str, content: &str, mode: u32) {
        fs::write(self.path(path), content).unwrap();
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn open(&self, resources: Vec<Resource>) -> Converger {
        Converger::begin(managed(self.dir.path()), resources, Enforcement::Enforce, now()).unwrap()
    }

    /// Converges to what the JSON says, as a new process would.
    fn converge(&self, resources: &Value) -> Converged {
        self.converge_for(resources, Cause::Intentional)
    }

    fn converge_for(&self, resources: &Value, cause: Cause) -> Converged {
        let mut converger = self.open(Vec::new());
        let resources = load(&converger.managed.blobs, resources);
        converger.set_resources(resources).unwrap();
        let converged = converger.converge(cause, Extent::All, &|| false, now).unwrap();
        let plan = converger.plan(Extent::All);
        let again = converger.converge(Cause::Corrective, Extent::All, &|| false, now).unwrap();
        assert_eq!(again.changes(), 0, "a second run changes nothing: {plan:?}");
        converged
    }
}

fn managed(dir: &Path) -> ManagedHost {
    let (store, _) = Store::open(&dir.join("store")).unwrap();
    ManagedHost {
        host: Box::new(RealHost::open(&dir.join("root")).unwrap().with_notes(Notes::open(&dir.join("notes")).unwrap())),
        ledger: Ledger::open(&dir.join("ledger")).unwrap(),
        originals: Vault::open(&dir.join("originals")).unwrap(),
        blobs: Arc::new(Vault::open(&dir.join("blobs")).unwrap()),
        known: Known::load(&store).unwrap(),
        owed: Owed::load(&store).unwrap(),
        risk: Risk::load(&store).unwrap(),
        store: Arc::new(store),
    }
}

/// Resources by address; `text` of a file becomes a blob.
fn load(blobs: &Vault, resources: &Value) -> Vec<Resource> {
    let one = |(address, attributes): (&String, &Value)| {
        let mut attributes = attributes.clone();
        let meta = attributes.as_object_mut().unwrap().remove("meta").unwrap_or(json!({}));
        let mut exception = attributes.as_object_mut().unwrap().remove("exception").unwrap_or_default();
        for attributes in [Some(&mut attributes), exception.get_mut("attributes")].into_iter().flatten() {
            if let Some(text) = attributes.as_object_mut().unwrap().remove("text") {
                attributes["content"] = json!(blobs.keep_bytes(text.as_str().unwrap().as_bytes()).unwrap());
            }
        }
        let whole = json!({"address": address, "meta": meta, "attributes": attributes, "exception": exception});
        serde_json::from_value(whole).unwrap()
    };
    resources.as_object().unwrap().iter().map(one).collect()
}

#[test]
fn makes_files_folders_and_links_and_takes_them_away_again() {
    let sandbox = Sandbox::new();
    sandbox.converge(&json!({
        "files/etc/motd": {"text": "hello\n"},
        "directories/etc/app": {"mode": "0750"},
        "files/etc/app/secret": {"text": "s", "mode": "0600"},
        "links/etc/app/link": {"target": "../motd"},
    }));
    assert_eq!(sandbox.file("etc/motd"), ("hello\n".to_owned(), 0o644));
    assert_eq!(sandbox.file("etc/app/secret"), ("s".to_owned(), 0o600));
    assert_eq!(fs::metadata(sandbox.path("etc/app")).unwrap().permissions().mode() & 0o7777, 0o750);
    assert_eq!(fs::read_link(sandbox.path("etc/app/link")).unwrap(), Path::new("../motd"));

    sandbox.converge(&json!({}));
    assert_eq!(fs::read_dir(sandbox.path("etc")).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn an_event_lets_nothing_overtake_what_it_requires() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("etc/first")).unwrap();
    let mut converger = sandbox.open(Vec::new());
    let wanted = json!({
        "files/etc/first": {"text": "in the way of a folder"},
        "files/etc/second": {"text": "after it", "meta": {"requires": ["files/etc/first"]}},
    });
    let resources = load(&converger.managed.blobs, &wanted);
    converger.set_resources(resources).unwrap();
    converger.converge(Cause::Intentional, Extent::All, &|| false, now).unwrap();
    let only = BTreeSet::from(["files/etc/second".parse().unwrap()]);
    let converged = converger.converge(Cause::Corrective, Extent::Only(&only), &|| false, now).unwrap();
    assert!(!sandbox.path("etc/second").exists(), "{:?}", converged.outcomes);
    assert_eq!(converged.outcomes[0].state, Some(ResourceState::Blocked));
    fs::remove_dir(sandbox.path("etc/first")).unwrap();
    converger.converge(Cause::Corrective, Extent::All, &|| false, now).unwrap();
    assert_eq!(sandbox.file("etc/second").0, "after it");
}

#[test]
fn what_was_found_comes_back() {
    let sandbox = Sandbox::new();
    sandbox.write("etc/motd", "original", 0o640);
    symlink("motd", sandbox.path("etc/issue")).unwrap();
    sandbox.converge(&json!({
        "files/etc/motd": {"text": "ours", "mode": "0600"},
        "files/etc/issue": {"text": "a file now"},
    }));
    assert_eq!(sandbox.file("etc/motd"), ("ours".to_owned(), 0o600));
    assert!(!fs::symlink_metadata(sandbox.path("etc/issue")).unwrap().is_symlink());
    // A second revision changes it again: the original is still the first.
    sandbox.converge(&json!({"files/etc/motd": {"text": "ours 2"}}));
    assert_eq!(sandbox.file("etc/motd"), ("ours 2".to_owned(), 0o640), "the mode left and went back");
    assert_eq!(fs::read_link(sandbox.path("etc/issue")).unwrap(), Path::new("motd"));

    sandbox.converge(&json!({}));
    assert_eq!(sandbox.file("etc/motd"), ("original".to_owned(), 0o640));
}

#[test]
fn a_deleted_file_that_should_be_absent_comes_back() {
    let sandbox = Sandbox::new();
    sandbox.write("etc/legacy", "old config", 0o604);
    sandbox.converge(&json!({"files/etc/legacy": {"meta": {"state": "absent"}}}));
    assert!(!sandbox.path("etc/legacy").exists());
    sandbox.converge(&json!({}));
    assert_eq!(sandbox.file("etc/legacy"), ("old config".to_owned(), 0o604));
}

#[test]
fn on_remove_keep_leaves_it() {
    let sandbox = Sandbox::new();
    sandbox.converge(&json!({"files/etc/motd": {"text": "x", "meta": {"on_remove": "keep"}}}));
    sandbox.converge(&json!({}));
    assert_eq!(sandbox.file("etc/motd").0, "x");
}

#[test]
fn missing_folders_of_a_sandbox_are_made_and_go() {
    let sandbox = Sandbox::new();
    sandbox.converge(&json!({"files/var/lib/app/a": {"text": "a"}, "files/var/lib/app/b": {"text": "b"}}));
    assert_eq!(sandbox.file("var/lib/app/a").0, "a");
    sandbox.converge(&json!({"files/var/lib/app/b": {"text": "b"}}));
    assert!(sandbox.path("var/lib/app").exists());
    sandbox.converge(&json!({}));
    assert!(!sandbox.path("var").exists());
}

#[test]
fn drift_is_put_right_and_known_as_corrective() {
    let sandbox = Sandbox::new();
    let wanted = json!({"files/etc/motd": {"text": "right", "mode": "0644"}});
    sandbox.converge(&wanted);
    for drift in [
        (|sandbox: &Sandbox| sandbox.write("etc/motd", "wrong", 0o644)) as fn(&Sandbox),
        |sandbox| sandbox.write("etc/motd", "right", 0o666),
        |sandbox| fs::remove_file(sandbox.path("etc/motd")).unwrap(),
        |sandbox| {
            fs::remove_file(sandbox.path("etc/motd")).unwrap();
            symlink("/etc/passwd", sandbox.path("etc/motd")).unwrap();
        },
    ] {
        drift(&sandbox);
        let converged = sandbox.converge_for(&wanted, Cause::Corrective);
        assert_eq!(sandbox.file("etc/motd"), ("right".to_owned(), 0o644));
        assert!(!fs::symlink_metadata(sandbox.path("etc/motd")).unwrap().is_symlink());
        let repaired: Vec<_> = converged.outcomes.iter().filter(|outcome| outcome.changed).collect();
        assert_eq!(repaired.len(), 1);
        assert_eq!((repaired[0].state, repaired[0].cause), (Some(ResourceState::Repaired), Cause::Corrective));
    }
    sandbox.converge(&json!({}));
    assert!(!sandbox.path("etc/motd").exists(), "drift is no original");
}

#[test]
fn a_failure_blocks_what_needs_it_and_nothing_else() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("etc/motd")).unwrap();
    let mut converger = sandbox.open(Vec::new());
    let resources = load(
        &converger.managed.blobs,
        &json!({
            "files/etc/motd": {"text": "x"},
            "files/etc/after": {"text": "x", "meta": {"requires": ["files/etc/motd"]}},
            "files/etc/other": {"text": "x"},
        }),
    );
    converger.set_resources(resources).unwrap();
    let converged = converger.converge(Cause::Intentional, Extent::All, &|| false, now).unwrap();
    let state = |address: &str| {
        let found = converged.outcomes.iter().find(|outcome| outcome.address.to_string() == address).unwrap();
        (found.state.unwrap(), found.message.as_str())
    };
    assert_eq!(state("files/etc/motd"), (ResourceState::Blocked, "a directory stands in its place"));
    assert_eq!(state("files/etc/after"), (ResourceState::Blocked, "needs files/etc/motd, which is not right"));
    assert_eq!(sandbox.file("etc/other").0, "x");
    assert!(!sandbox.path("etc/after").exists());
}

#[test]
fn audit_writes_nothing_and_tells_the_difference() {
    let sandbox = Sandbox::new();
    sandbox.write("etc/motd", "found", 0o644);
    let mut converger = sandbox.open(Vec::new());
    let resources =
        load(&converger.managed.blobs, &json!({"files/etc/motd": {"text": "wanted", "meta": {"mode": "audit"}}}));
    converger.set_resources(resources).unwrap();
    let converged = converger.converge(Cause::Intentional, Extent::All, &|| false, now).unwrap();
    assert_eq!(converged.outcomes[0].state, Some(ResourceState::NonCompliant));
    assert_eq!(sandbox.file("etc/motd").0, "found");
    assert_eq!(converger.managed.ledger.entries().len(), 0, "what is only audited is not owned");
}

#[test]
fn apply_once_applies_each_content_once() {
    let sandbox = Sandbox::new();
    let first = json!({"files/etc/motd": {"text": "one", "meta": {"mode": "apply_once"}}});
    sandbox.converge(&first);
    assert_eq!(sandbox.file("etc/motd").0, "one");
    sandbox.write("etc/motd", "changed by hand", 0o644);
    sandbox.converge(&first);
    assert_eq!(sandbox.file("etc/motd").0, "changed by hand");
    sandbox.converge(&json!({"files/etc/motd": {"text": "two", "meta": {"mode": "apply_once"}}}));
    assert_eq!(sandbox.file("etc/motd").0, "two");
}

#[test]
fn every_change_is_one_transition_in_order() {
    let sandbox = Sandbox::new();
    let wanted = json!({"files/etc/a": {"text": "a"}, "files/etc/b": {"text": "b"}});
    sandbox.converge(&wanted);
    sandbox.write("etc/a", "drift", 0o644);
    sandbox.converge_for(&wanted, Cause::Corrective);
    sandbox.converge(&json!({"files/etc/a": {"text": "a"}}));
    let store = managed(sandbox.dir.path()).store;
    let told: Vec<String> = store
        .scan::<Vec<muster_schema::report::Transition>>(crate::known::TRANSITION_PREFIX)
        .unwrap()
        .into_iter()
        .flat_map(|(_, transitions)| transitions)
        .map(|t| format!("{} {} {:?}→{:?} {}", t.seq, t.address, t.from, t.to, t.cause))
        .collect();
    assert_eq!(
        told,
        [
            "1 files/etc/a None→Some(Repaired) initial",
            "2 files/etc/b None→Some(Repaired) initial",
            "3 files/etc/a Some(Compliant)→Some(Repaired) corrective",
            "4 files/etc/b Some(Compliant)→None intentional",
        ]
    );
}
