//! The last known state of every resource, and the transitions that are still to be reported.

use crate::apply::Outcome;
use crate::store::{Batch, Store, StoreError};
use muster_schema::api::LastChange;
use muster_schema::report::{MAX_TEXT_BYTES, Transition};
use muster_schema::state::{Cause, ResourceState};
use muster_schema::{Address, Culprit, Sha256Digest, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Transitions that no report carried yet, by number.
pub const TRANSITION_PREFIX: &str = "transition/";
const STATE_PREFIX: &str = "state/";
/// The last change of each resource. Only who asks for it reads it, so it is not in memory.
const CHANGE_PREFIX: &str = "change/";
const SEQ_KEY: &str = "transition-seq";

/// What is known of one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownState {
    /// The resource.
    pub address: Address,
    /// Its state.
    pub state: ResourceState,
    /// Why, for people.
    pub message: String,
    /// Since when.
    pub since: Timestamp,
}

/// All that is known.
#[derive(Debug, Default)]
pub struct Known {
    states: BTreeMap<Address, KnownState>,
    last_seq: u64,
    /// Who touched what is looked at in this run.
    culprits: BTreeMap<Address, Culprit>,
}

impl Known {
    /// What earlier runs found.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn load(store: &Store) -> Result<Known, StoreError> {
        let states = store.scan::<KnownState>(STATE_PREFIX)?;
        Ok(Known {
            states: states.into_iter().map(|(_, known)| (known.address.clone(), known)).collect(),
            last_seq: store.load(SEQ_KEY)?.unwrap_or(0),
            culprits: BTreeMap::new(),
        })
    }

    /// What is known of each resource.
    pub fn states(&self) -> &BTreeMap<Address, KnownState> {
        &self.states
    }

    /// The number of the last transition.
    pub fn last_transition(&self) -> u64 {
        self.last_seq
    }

    /// In the run that comes, drift of these was made by them. It replaces what was said before.
    pub fn set_culprits(&mut self, culprits: BTreeMap<Address, Culprit>) {
        self.culprits = culprits;
    }

    /// Who made the drift that this run finds.
    pub fn culprit(&self, address: &Address) -> Option<&Culprit> {
        self.culprits.get(address)
    }

    /// How many resources are in each state.
    pub fn counts(&self) -> BTreeMap<ResourceState, u32> {
        let mut counts = BTreeMap::new();
        for known in self.states.values() {
            *counts.entry(known.state).or_default() += 1;
        }
        counts
    }

    /// Takes outcomes in and writes what changed by them, together with `batch`, in one durable commit. Answers how
    /// many transitions that made.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn note(
        &mut self,
        store: &Store,
        outcomes: &[Outcome],
        now: Timestamp,
        mut batch: Batch,
    ) -> Result<usize, StoreError> {
        let before = self.last_seq;
        for outcome in outcomes.iter().filter(|outcome| outcome.reported) {
            self.note_one(outcome, now, &mut batch)?;
        }
        if self.last_seq != before {
            batch.put(SEQ_KEY, &self.last_seq)?;
        }
        if !batch.is_empty() {
            store.commit(batch)?;
        }
        Ok(usize::try_from(self.last_seq - before).unwrap_or(usize::MAX))
    }

    fn note_one(&mut self, outcome: &Outcome, now: Timestamp, batch: &mut Batch) -> Result<(), StoreError> {
        let old = self.states.get(&outcome.address);
        let from = old.map(|old| old.state);
        let message = cut(&outcome.message);
        if !outcome.changed
            && from == outcome.state
            && old.is_none_or(|old| old.message == message || old.state == ResourceState::Compliant)
        {
            return Ok(());
        }
        // That a repaired thing is still right is no news.
        let quiet = !outcome.changed
            && (from == outcome.state
                || (from == Some(ResourceState::Repaired) && outcome.state == Some(ResourceState::Compliant)));
        let key = key_of(STATE_PREFIX, &outcome.address);
        let change_key = key_of(CHANGE_PREFIX, &outcome.address);
        let cause = if from.is_none() { Cause::Initial } else { outcome.cause };
        let by = self.culprits.get(&outcome.address).filter(|_| cause == Cause::Corrective).cloned();
        match outcome.state {
            Some(state) => {
                let since = old.filter(|old| old.state == state).map_or(now, |old| old.since);
                let known = KnownState { address: outcome.address.clone(), state, message: message.clone(), since };
                batch.put(key, &known)?;
                if outcome.changed {
                    let last = LastChange { at: now, cause, message: message.clone(), by: by.clone() };
                    batch.put(change_key, &last)?;
                }
                self.states.insert(outcome.address.clone(), known);
            }
            None => {
                batch.remove(key);
                batch.remove(change_key);
                self.states.remove(&outcome.address);
            }
        }
        if quiet {
            return Ok(());
        }
        self.last_seq += 1;
        let transition = Transition {
            seq: self.last_seq,
            address: outcome.address.clone(),
            from,
            to: outcome.state,
            cause,
            message,
            at: now,
            by,
        };
        batch.put(format!("{TRANSITION_PREFIX}{:020}", self.last_seq), &transition)
    }
}

/// Addresses may be long, keys must not: sled keeps long pages outside its log.
fn key_of(prefix: &str, address: &Address) -> String {
    let digest = Sha256Digest::of(address.to_string().as_bytes()).to_string();
    format!("{prefix}{}", digest.get(..32).unwrap_or(&digest))
}

/// What is known of one resource, and its last change, beside a worker that goes on.
///
/// # Errors
/// When the store cannot be read.
pub fn load_known(store: &Store, address: &Address) -> Result<(Option<KnownState>, Option<LastChange>), StoreError> {
    Ok((store.load(&key_of(STATE_PREFIX, address))?, store.load(&key_of(CHANGE_PREFIX, address))?))
}

fn cut(text: &str) -> String {
    let mut end = text.len().min(MAX_TEXT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}
