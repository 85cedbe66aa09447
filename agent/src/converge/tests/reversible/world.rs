//! A host in memory under a family's programs, and processes that follow revisions on it.

use super::super::load;
use super::super::properties::{Dice, now, open};
use super::Family;
use super::archives::served;
use super::downloads::SERVED;
use crate::apply::Outcome;
use crate::converge::{Converger, Extent};
use crate::host::Notes;
use crate::host::fake::{FakeHost, Tree};
use crate::ledger::Ledger;
use crate::plan::{ContactRule, Verdict, describe_changes};
use crate::resource::{State, View, observe};
use muster_schema::Address;
use muster_schema::resource::Enforcement;
use muster_schema::state::Cause;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A host, and two revisions for it.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) tree: Tree,
    pub(super) first: Value,
    pub(super) second: Value,
}

impl Case {
    pub(super) fn of(family: &Family, seed: u64) -> Case {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        for _ in 0..3 {
            dice.roll(2);
        }
        let tree = (family.host)(&mut dice);
        Case { tree, first: (family.manifest)(&mut dice), second: (family.manifest)(&mut dice) }
    }
}

pub(super) struct World<'f> {
    family: &'f Family,
    dir: tempfile::TempDir,
    pub(super) host: FakeHost,
}

/// What came of following a revision.
#[derive(Debug)]
pub(super) struct Followed {
    /// What the plan said beforehand.
    pub(super) said: Vec<(Address, String)>,
    pub(super) outcomes: Vec<Outcome>,
    /// What a plan would change after that.
    pub(super) left: Vec<String>,
}

impl World<'_> {
    pub(super) fn new<'f>(family: &'f Family, tree: &Tree) -> World<'f> {
        let dir = tempfile::tempdir().unwrap();
        let notes = Notes::open(&dir.path().join("notes")).unwrap();
        let host = FakeHost::new(tree.clone()).with_programs(family.programs).with_notes(notes);
        for (url, content) in SERVED {
            host.serve(url, content.as_bytes());
        }
        for (url, content) in served() {
            host.serve(url, &content);
        }
        World { family, dir, host }
    }

    /// A process that was started under the manifest `before`.
    pub(super) fn begin(&self, before: &Value, mode: Enforcement) -> Converger {
        let managed = open(self.dir.path(), &self.host);
        let before = load(&managed.blobs, before);
        Converger::begin(managed, before, mode, now()).unwrap()
    }

    /// Does what the agent does when a revision comes.
    pub(super) fn follow(&self, before: &Value, manifest: &Value) -> Followed {
        self.follow_in(Enforcement::Enforce, before, manifest)
    }

    pub(super) fn follow_in(&self, mode: Enforcement, before: &Value, manifest: &Value) -> Followed {
        let mut converger = self.begin(before, mode);
        let resources = load(&converger.managed().blobs, manifest);
        converger.set_resources(resources).unwrap();
        let said = describe(&converger);
        let converged = converger.converge(Cause::Intentional, Extent::All, &|| false, now).unwrap();
        // The orchestrator is reached.
        if let Some(number) = converger.managed().risk.armed().map(|armed| armed.number) {
            assert!(converger.confirm_armed(number).unwrap());
        }
        let plan = converger.plan(Extent::All);
        let left = converger.schedule().targets.iter().zip(plan).filter_map(|(target, verdict)| match verdict {
            Some(verdict @ (Verdict::Change(_) | Verdict::Failed(_))) => {
                Some(format!("{}: {verdict:?}", target.address()))
            }
            _ => None,
        });
        let left = left.collect();
        Followed { said, outcomes: converged.outcomes, left }
    }

    /// What every address of these revisions observes.
    pub(super) fn observe(&self, revisions: [&Value; 2]) -> BTreeMap<String, Result<State, String>> {
        let blobs = open(self.dir.path(), &self.host).blobs;
        let view = View::new(&self.host);
        let all = revisions.into_iter().zip(["first", "second"]);
        let resources = all.flat_map(|(revision, name)| load(&blobs, revision).into_iter().map(move |one| (name, one)));
        let look = |(name, resource): (&str, muster_schema::resource::Resource)| {
            let state = observe(&resource, &view).map_err(|error| error.chain());
            (format!("{} of the {name}", resource.address), state)
        };
        resources.map(look).collect()
    }

    pub(super) fn plain(&self) -> Tree {
        (self.family.plain)(self.host.tree())
    }

    /// What is still owned.
    pub(super) fn owned(&self) -> Vec<String> {
        let ledger = Ledger::open(&self.dir.path().join("ledger")).unwrap();
        ledger.entries().keys().map(ToString::to_string).collect()
    }
}

fn describe(converger: &Converger) -> Vec<(Address, String)> {
    let managed = converger.managed();
    let contact = ContactRule { within: None, scope: managed.host.scope(), ledger: managed.ledger.entries() };
    let plan = converger.plan(Extent::All);
    let said = describe_changes(converger.schedule(), &plan, contact);
    said.map(|(address, what)| (address.clone(), what)).collect()
}

pub(super) fn nothing() -> Value {
    json!({})
}
