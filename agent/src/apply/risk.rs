//! Commit-confirm: a risky change stands only when the orchestrator is reached after it.
//!
//! What is to come back is written down with the intents, before the change. All risky changes of one run are one
//! group. A resource that stood the test once is proven: putting drift of it right needs none, so that a host heals
//! itself while the orchestrator is away.

use crate::host::Scope;
use crate::ledger::Entry;
use crate::plan::{Plan, Schedule, Target, Verdict, asks_for_contact};
use crate::resource::{Reaction, State, Value};
use crate::store::{Batch, Store, StoreError};
use muster_schema::content::BlobRef;
use muster_schema::resource::Resource;
use muster_schema::{Address, Sha256Digest, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const ARMED_KEY: &str = "armed";
const REVERTED_KEY: &str = "reverted";

/// What is waited for where nothing is set.
pub const CONFIRM_WITHIN: Duration = Duration::from_secs(120);

/// Changes that are taken back unless the orchestrator is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Armed {
    /// Another one after each further change: a contact before it proves nothing.
    pub number: u64,
    /// When they are taken back, by the host's clock.
    pub deadline: Timestamp,
    /// In the order in which they were made.
    pub(super) changes: Vec<ArmedChange>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ArmedChange {
    pub(super) resource: Arc<Resource>,
    /// What comes back.
    pub(super) before: State,
    /// What the ledger had of it.
    pub(super) entry: Option<Entry>,
    /// Its resource left with this change.
    pub(super) leaves: bool,
    /// Who reacts to it, there and back.
    pub(super) reactions: Vec<(Address, Reaction)>,
}

/// What was taken back, and is not tried again under the same content of a manifest.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Reverted {
    pub(super) content: Option<Sha256Digest>,
    pub(super) resources: Vec<(Address, String)>,
}

/// What is at risk now, and what was.
#[derive(Debug)]
pub struct Risk {
    pub(super) armed: Option<Armed>,
    pub(super) reverted: BTreeMap<Address, String>,
    content: Option<Sha256Digest>,
    /// How long the orchestrator may take to be reached; `None`: it does not matter.
    pub within: Option<Duration>,
}

impl Risk {
    /// What an earlier run left.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn load(store: &Store) -> Result<Risk, StoreError> {
        let Reverted { content, resources } = store.load(REVERTED_KEY)?.unwrap_or_default();
        let armed = store.load(ARMED_KEY)?;
        Ok(Risk { armed, reverted: resources.into_iter().collect(), content, within: Some(CONFIRM_WITHIN) })
    }

    /// What waits for the orchestrator.
    pub fn armed(&self) -> Option<&Armed> {
        self.armed.as_ref()
    }

    /// Whether a change of it is to stand only when the orchestrator is reached.
    pub(super) fn asks_for_proof(&self, target: &Target, entry: Option<&Entry>, scope: Scope) -> bool {
        self.within.is_some() && asks_for_contact(target, entry, scope)
    }

    /// Whether a change of it waits for the orchestrator.
    pub(super) fn is_armed(&self, address: &Address) -> bool {
        let changes = self.armed.iter().flat_map(|armed| &armed.changes);
        changes.into_iter().any(|change| change.resource.address == *address)
    }

    /// Whether it was taken back, and waits for another content.
    pub(super) fn is_reverted(&self, address: &Address) -> bool {
        self.reverted.contains_key(address)
    }

    /// Adds changes that are about to be made.
    pub(super) fn arm(&mut self, changes: Vec<ArmedChange>, now: Timestamp) {
        let Some(within) = self.within.filter(|_| !changes.is_empty()) else { return };
        let deadline = after(now, within);
        let armed = self.armed.get_or_insert(Armed { number: now.0, deadline, changes: Vec::new() });
        armed.number = armed.number.saturating_add(1);
        armed.deadline = deadline;
        for change in changes {
            let same = |known: &&mut ArmedChange| known.resource.address == change.resource.address;
            match armed.changes.iter_mut().find(same) {
                Some(known) => known.go_on(change),
                None => armed.changes.push(change),
            }
        }
    }

    /// The run is over: from now on the time counts.
    pub(super) fn begin_wait(&mut self, now: Timestamp) {
        if let (Some(armed), Some(within)) = (&mut self.armed, self.within) {
            armed.deadline = after(now, within);
        }
    }

    /// What was taken back and is not tried again under this manifest, with the reason.
    pub fn reverted(&self) -> &BTreeMap<Address, String> {
        &self.reverted
    }

    /// The verdict, but for what was taken back.
    pub(super) fn hold(&self, target: &Target, verdict: Verdict) -> Verdict {
        hold(&self.reverted, target, verdict)
    }

    /// Holds nothing back any more that was taken back under another content.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn forget_reverted(&mut self, store: &Store, content: Sha256Digest) -> Result<(), StoreError> {
        if self.reverted.is_empty() || self.content == Some(content) {
            return Ok(());
        }
        self.reverted.clear();
        let mut batch = Batch::new();
        self.put(&mut batch)?;
        store.commit(batch)
    }

    pub(super) fn note_reverted(&mut self, content: Option<Sha256Digest>, resources: Vec<(Address, String)>) {
        self.content = content;
        self.reverted.extend(resources);
    }

    pub(super) fn put(&self, batch: &mut Batch) -> Result<(), StoreError> {
        match &self.armed {
            Some(armed) => batch.put(ARMED_KEY, armed)?,
            None => batch.remove(ARMED_KEY),
        }
        if self.reverted.is_empty() {
            batch.remove(REVERTED_KEY);
            return Ok(());
        }
        let resources = self.reverted.iter().map(|(address, reason)| (address.clone(), reason.clone())).collect();
        batch.put(REVERTED_KEY, &Reverted { content: self.content, resources })
    }

    /// The contents that coming back needs.
    pub fn contents(&self) -> Vec<BlobRef> {
        let changes = self.armed.iter().flat_map(|armed| &armed.changes);
        let contents = changes.flat_map(|change| {
            let before = change.before.attributes().into_iter().flat_map(|attributes| attributes.values());
            let kept = before.filter_map(Value::content).chain(change.resource.blobs());
            kept.chain(change.entry.iter().flat_map(Entry::contents)).collect::<Vec<_>>()
        });
        contents.collect()
    }
}

/// The plan, but for what was taken back.
pub(crate) fn hold_reverted(reverted: &BTreeMap<Address, String>, schedule: &Schedule, plan: Plan) -> Plan {
    let held = |(target, verdict): (&Target, Option<Verdict>)| Some(hold(reverted, target, verdict?));
    schedule.targets.iter().zip(plan).map(held).collect()
}

fn hold(reverted: &BTreeMap<Address, String>, target: &Target, verdict: Verdict) -> Verdict {
    match (verdict, reverted.get(target.address())) {
        (Verdict::Change(_) | Verdict::Retain(..), Some(reason)) => Verdict::Held(reason.clone()),
        (verdict, _) => verdict,
    }
}

impl ArmedChange {
    /// It changes once more. What was there before the first change comes back.
    fn go_on(&mut self, next: ArmedChange) {
        if let (State::Present(known), State::Present(before)) = (&mut self.before, next.before) {
            for (name, value) in before {
                known.entry(name).or_insert(value);
            }
        }
        self.reactions.extend(next.reactions);
        self.resource = next.resource;
        self.leaves = next.leaves;
    }
}

fn after(now: Timestamp, time: Duration) -> Timestamp {
    Timestamp(now.0.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
}
