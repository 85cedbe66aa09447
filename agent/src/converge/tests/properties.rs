//! Laws that hold on any host, for any manifests, and wherever the process ends.

mod attack;

use super::load;
use crate::apply::{ManagedHost, Owed, Risk};
use crate::converge::{Converger, Extent};
use crate::host::fake::{FakeHost, Node, Tree, What};
use crate::known::{Known, TRANSITION_PREFIX};
use crate::ledger::Ledger;
use crate::store::Store;
use crate::test_crash::crash_at;
use crate::vault::Vault;
use muster_schema::Timestamp;
use muster_schema::report::Transition;
use muster_schema::resource::Enforcement;
use muster_schema::state::{Cause, ResourceState};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::sync::Arc;

/// Paths that may hold anything, some below others.
const PATHS: [&str; 6] = ["/etc/a", "/etc/b", "/etc/c", "/srv", "/srv/x", "/srv/y"];

/// A small generator: the same seed gives the same world.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    pub(super) fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.roll(of.len() as u64) as usize]
    }

    fn node(&mut self) -> Node {
        match self.roll(4) {
            0 | 1 => Node::new(What::File(self.one(&["", "one", "two"]).into()), self.mode()),
            2 => Node::new(What::Link(self.one(&["a", "nowhere"]).into()), 0o777),
            _ => Node::new(What::Directory, self.mode()),
        }
    }

    fn mode(&mut self) -> u32 {
        [0o600, 0o644, 0o755][self.roll(3) as usize]
    }

    pub(super) fn host(&mut self) -> Tree {
        let mut tree = Tree::new();
        for folder in ["/", "/etc"] {
            tree.insert(folder.to_owned(), Node::new(What::Directory, 0o755));
        }
        for path in PATHS {
            let parent_is_there = path.starts_with("/etc/")
                || path == "/srv"
                || tree.get("/srv").is_some_and(|node| node.what == What::Directory);
            if parent_is_there && self.roll(2) == 0 {
                tree.insert(path.to_owned(), self.node());
            }
        }
        tree
    }

    /// Resources without contradictions: one for a path, nothing below a file.
    pub(super) fn manifest(&mut self) -> Value {
        let mut resources = Map::new();
        let mut srv_is_folder = true;
        for path in PATHS {
            if self.roll(3) == 0 || (path.starts_with("/srv/") && !srv_is_folder) {
                continue;
            }
            let collection = self.one(&["files", "files", "links", "directories"]);
            if path == "/srv" {
                srv_is_folder = collection == "directories";
            }
            let mut attributes = match collection {
                "files" => json!({"text": self.one(&["one", "two", "three"])}),
                "links" => json!({"target": self.one(&["a", "b"]), "force": self.roll(2) == 0}),
                _ => json!({}),
            };
            if collection != "links" && self.roll(2) == 0 {
                attributes["mode"] = json!(self.one(&["0600", "0640"]));
            }
            if path != "/srv" && self.roll(5) == 0 {
                let kept = attributes.as_object().unwrap().get("force").cloned();
                attributes = json!({"meta": {"state": "absent"}});
                attributes.as_object_mut().unwrap().extend(kept.map(|force| ("force".to_owned(), force)));
            }
            resources.insert(format!("{collection}{path}"), attributes);
        }
        let triggers: Vec<&String> = resources.keys().collect();
        let reacts = json!({"meta": {"run_on": triggers}, "argv": ["react"]});
        resources.insert("commands/react".to_owned(), reacts);
        Value::Object(resources)
    }
}

pub(super) fn now() -> Timestamp {
    Timestamp(1)
}

pub(super) fn open(dir: &Path, host: &FakeHost) -> ManagedHost {
    let (store, _) = Store::open(&dir.join("store")).unwrap();
    ManagedHost {
        host: Box::new(host.clone()),
        ledger: Ledger::open(&dir.join("ledger")).unwrap(),
        originals: Vault::open(&dir.join("originals")).unwrap(),
        blobs: Arc::new(Vault::open(&dir.join("blobs")).unwrap()),
        known: Known::load(&store).unwrap(),
        owed: Owed::load(&store).unwrap(),
        risk: Risk::load(&store).unwrap(),
        store: Arc::new(store),
    }
}

/// Converges as a process does that was started under the manifest `before`.
fn converge(dir: &Path, host: &FakeHost, before: &Value, manifest: &Value) -> Converger {
    let managed = open(dir, host);
    let (before, resources) = (load(&managed.blobs, before), load(&managed.blobs, manifest));
    let mut converger = Converger::begin(managed, before, Enforcement::Enforce, now()).unwrap();
    converger.set_resources(resources).unwrap();
    converger.converge(Cause::Intentional, Extent::All, &|| false, now).unwrap();
    converger
}

fn nothing() -> Value {
    json!({})
}

fn transitions(dir: &Path) -> Vec<Transition> {
    let (store, _) = Store::open(&dir.join("store")).unwrap();
    store.scan::<Vec<Transition>>(TRANSITION_PREFIX).unwrap().into_iter().flat_map(|(_, some)| some).collect()
}

#[test]
fn after_an_apply_nothing_is_left_to_do() {
    for seed in 1..150 {
        let mut dice = Dice(seed * 0x9E37_79B9);
        let (dir, host) = (tempfile::tempdir().unwrap(), FakeHost::new(dice.host()));
        let manifest = dice.manifest();
        let mut converger = converge(dir.path(), &host, &nothing(), &manifest);
        let (tree, ran) = (host.tree(), host.ran().len());
        let again = converger.converge(Cause::Corrective, Extent::All, &|| false, now).unwrap();
        assert_eq!(again.changes(), 0, "seed {seed}: {manifest:#}\n{:#?}", again.outcomes);
        assert_eq!((host.tree(), host.ran().len()), (tree, ran), "seed {seed}");
    }
}

#[test]
fn whatever_the_revisions_the_end_is_as_the_beginning() {
    for seed in 1..120 {
        let mut dice = Dice(seed * 0xDEAD_BEEF);
        let (dir, host) = (tempfile::tempdir().unwrap(), FakeHost::new(dice.host()));
        let found = host.tree();
        let mut told = Vec::new();
        let mut before = nothing();
        for _ in 0..3 {
            let manifest = dice.manifest();
            drop(converge(dir.path(), &host, &before, &manifest));
            told.push((manifest.clone(), host.tree()));
            before = manifest;
        }
        drop(converge(dir.path(), &host, &before, &nothing()));
        assert_eq!(host.tree(), found, "seed {seed}: {told:#?}");
        let ledger = Ledger::open(&dir.path().join("ledger")).unwrap();
        assert!(ledger.entries().is_empty(), "seed {seed}: {:#?} {told:#?}", ledger.entries());
    }
}

#[test]
fn a_change_and_its_inverse_are_nothing() {
    for seed in 1..100 {
        let mut dice = Dice(seed * 0xFACE_FEED);
        let (dir, host) = (tempfile::tempdir().unwrap(), FakeHost::new(dice.host()));
        let managed = open(dir.path(), &host);
        let resources = load(&managed.blobs, &dice.manifest());
        let converger = Converger::begin(managed, resources, Enforcement::Enforce, now()).unwrap();
        super::inverse::check_each(&converger, &host, |tree| tree);
    }
}

/// Whether the second revision changes anything.
fn undisturbed_changes(tree: &Tree, first: &Value, second: &Value) -> bool {
    let (dir, host) = (tempfile::tempdir().unwrap(), FakeHost::new(tree.clone()));
    drop(converge(dir.path(), &host, &nothing(), first));
    let reacted = host.ran().len();
    drop(converge(dir.path(), &host, first, second));
    host.ran().len() > reacted
}

/// Transitions are numbered without a gap, and each begins where the last of its address ended.
fn check_story(dir: &Path, context: &str) {
    let mut states = std::collections::BTreeMap::new();
    for (number, transition) in (1..).zip(transitions(dir)) {
        assert_eq!(transition.seq, number, "{context}");
        let quiet = |state: Option<ResourceState>| match state {
            Some(ResourceState::Repaired) => Some(ResourceState::Compliant),
            other => other,
        };
        let last = states.insert(transition.address.to_string(), transition.to).flatten();
        assert_eq!(quiet(transition.from), quiet(last), "{context}: {transition:?}");
    }
}
