//! Converges this machine, or rather the copy of it that a test has entered, as the agent does.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use crate::apply::{ManagedHost, Outcome, Owed, Risk};
use crate::converge::{Converger, Extent};
use crate::extension::Extensions;
use crate::extension::plugin::{PLUGINS, Plugins};
use crate::host::{Notes, RealHost};
use crate::io::host_keys::HostKeys;
use crate::known::Known;
use crate::ledger::Ledger;
use crate::plan::{Purpose, Verdict};
use crate::secrets::Secrets;
use crate::store::Store;
use crate::vault::Vault;
use muster_schema::Timestamp;
use muster_schema::resource::{Enforcement, Resource};
use muster_schema::state::{Cause, ResourceState};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

const STATE: &str = "/run/muster-test";

/// Converges to what the JSON says, resources by address, as a process would that starts anew.
pub(crate) fn converge(resources: &Value) -> Vec<Outcome> {
    let (mut converger, resources) = open_for(load(resources));
    converger.set_resources(resources).unwrap();
    let converged = converger.converge(Cause::Intentional, Extent::All, &|| false, now).unwrap();
    converged.outcomes
}

/// The same, and all of it must be right then: a second look finds nothing to do.
pub(crate) fn converge_wholly(resources: &Value) -> Vec<Outcome> {
    let outcomes = converge(resources);
    for outcome in &outcomes {
        let right = [None, Some(ResourceState::Compliant), Some(ResourceState::Repaired)];
        assert!(right.contains(&outcome.state), "{outcome:?}");
    }
    let left = differences(resources);
    assert!(left.is_empty(), "{left:?}");
    outcomes
}

/// What would be changed, reported or refused now.
pub(crate) fn differences(resources: &Value) -> Vec<String> {
    let (mut converger, resources) = open_for(load(resources));
    converger.set_resources(resources).unwrap();
    let plan = converger.plan(Extent::All);
    let targets = converger.schedule().targets.iter().zip(plan);
    targets
        .filter(|(target, verdict)| match verdict {
            Some(Verdict::Compliant) | None => false,
            Some(_) => target.purpose != Purpose::NotApplicable,
        })
        .map(|(target, verdict)| format!("{}: {verdict:?}", target.address()))
        .collect()
}

/// How it went with one address in the last of these outcomes.
pub(crate) fn outcome_of<'o>(outcomes: &'o [Outcome], address: &str) -> &'o Outcome {
    outcomes.iter().rev().find(|outcome| outcome.address.to_string() == address).unwrap()
}

pub(crate) fn open() -> Converger {
    open_for(Vec::new()).0
}

/// A new process, and the resources with their secrets read.
fn open_for(mut resources: Vec<Resource>) -> (Converger, Vec<Resource>) {
    let dir = Path::new(STATE);
    std::fs::create_dir_all(dir).unwrap();
    let (store, _) = Store::open(&dir.join("store")).unwrap();
    let notes = Notes::open(&dir.join("notes")).unwrap();
    let extensions = Extensions::new(Plugins::new(PLUGINS.into()), Default::default(), Default::default());
    let extensions = Arc::new(extensions);
    let managed = ManagedHost {
        host: Box::new(
            RealHost::open(Path::new("/"))
                .unwrap()
                .with_notes(notes)
                .with_extensions(extensions)
                .with_secrets(Arc::new(secrets())),
        ),
        ledger: Ledger::open(&dir.join("ledger")).unwrap(),
        originals: Vault::open(&dir.join("originals")).unwrap(),
        blobs: Arc::new(Vault::open(&dir.join("blobs")).unwrap()),
        known: Known::load(&store).unwrap(),
        owed: Owed::load(&store).unwrap(),
        risk: Risk::load(&store).unwrap(),
        store: Arc::new(store),
    };
    managed.host.as_read().secrets().unwrap().fill(&mut resources, &managed.blobs).unwrap();
    (Converger::begin(managed, Vec::new(), Enforcement::Enforce, now()).unwrap(), resources)
}

/// What reads the secrets of this machine.
fn secrets() -> Secrets {
    let dir = Path::new(STATE);
    std::fs::create_dir_all(dir).unwrap();
    Secrets::new(Arc::new(HostKeys::load_or_make(&dir.join("keys")).unwrap()))
}

/// A secret for this machine, as a text of a manifest.
pub(crate) fn secret(plaintext: &str) -> Value {
    let keys = HostKeys::load_or_make(&Path::new(STATE).join("keys")).unwrap();
    let recipient: age::x25519::Recipient = keys.recipient().parse().unwrap();
    let ciphertext = keep_blob(&age::encrypt(&recipient, plaintext.as_bytes()).unwrap());
    json!({"segments": [{"secret": {"name": "it", "ciphertext": ciphertext}}]})
}

/// Keeps a content where blobs of the manifest are, and gives how a resource names it.
pub(crate) fn keep_blob(bytes: &[u8]) -> Value {
    let dir = Path::new(STATE);
    std::fs::create_dir_all(dir).unwrap();
    json!(Vault::open(&dir.join("blobs")).unwrap().keep_bytes(bytes).unwrap())
}

fn now() -> Timestamp {
    Timestamp(1_700_000_000_000)
}

pub(crate) fn load(resources: &Value) -> Vec<Resource> {
    let one = |(address, attributes): (&String, &Value)| {
        let mut attributes = attributes.clone();
        let meta = attributes.as_object_mut().unwrap().remove("meta").unwrap_or(json!({}));
        serde_json::from_value(json!({"address": address, "meta": meta, "attributes": attributes})).unwrap()
    };
    resources.as_object().unwrap().iter().map(one).collect()
}
