//! The last known state of every resource, and the transitions that are still to be reported.

use crate::apply::Outcome;
use crate::store::{Batch, Store, StoreError};
use muster_schema::api::LastChange;
use muster_schema::report::{MAX_TEXT_BYTES, Transition};
use muster_schema::state::{Cause, ResourceState};
use muster_schema::{Address, Culprit, Sha256Digest, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Transitions that no report carried yet: records of up to [`TRANSITIONS_A_RECORD`], by the number of the first.
pub const TRANSITION_PREFIX: &str = "transitions/";
const TRANSITIONS_A_RECORD: usize = 250;
/// States lie together by the first byte of the digest of their address: a record for each would cost the store more
/// memory and time than what is in it.
const PAGE_PREFIX: &str = "states/";
/// After so many transitions at once the map is built anew: it stays in memory for long.
const MANY: usize = 200;
const SEQ_KEY: &str = "transition-seq";

/// Resources whose states lie together.
type Page = BTreeMap<Address, Record>;

/// What the store has of one resource.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    known: KnownState,
    /// The last change. Only who asks for it reads it, so it is not in memory.
    change: Option<LastChange>,
}

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
        let pages = store.scan::<Page>(PAGE_PREFIX)?;
        let records = pages.into_iter().flat_map(|(_, page)| page);
        let states = records.map(|(address, record)| (address, record.known)).collect();
        Ok(Known { states, last_seq: store.load(SEQ_KEY)?.unwrap_or(0), culprits: BTreeMap::new() })
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
        let (mut pages, mut transitions) = (BTreeMap::new(), Vec::new());
        for outcome in outcomes.iter().filter(|outcome| outcome.reported) {
            if !self.is_news(outcome) {
                continue;
            }
            let page = match pages.entry(page_of(&outcome.address)) {
                Entry::Occupied(page) => page.into_mut(),
                Entry::Vacant(page) => {
                    let known = store.load::<Page>(page.key())?.unwrap_or_default();
                    page.insert(known)
                }
            };
            transitions.extend(self.note_one(outcome, now, page));
        }
        for (key, page) in pages {
            if page.is_empty() { batch.remove(key) } else { batch.put(key, &page)? }
        }
        for (first, some) in (before + 1..).step_by(TRANSITIONS_A_RECORD).zip(transitions.chunks(TRANSITIONS_A_RECORD))
        {
            batch.put(format!("{TRANSITION_PREFIX}{first:020}"), some)?;
        }
        if transitions.len() >= MANY {
            // What came in order filled the nodes by half.
            self.states = std::mem::take(&mut self.states).into_iter().collect();
        }
        if self.last_seq != before {
            batch.put(SEQ_KEY, &self.last_seq)?;
        }
        if !batch.is_empty() {
            store.commit(batch)?;
        }
        Ok(usize::try_from(self.last_seq - before).unwrap_or(usize::MAX))
    }

    /// Whether it says anything that is not known.
    fn is_news(&self, outcome: &Outcome) -> bool {
        let old = self.states.get(&outcome.address);
        outcome.changed
            || old.map(|old| old.state) != outcome.state
            || old.is_some_and(|old| old.message != cut(&outcome.message) && old.state != ResourceState::Compliant)
    }

    /// Takes one outcome in. The answer is the transition, if it is one.
    fn note_one(&mut self, outcome: &Outcome, now: Timestamp, page: &mut Page) -> Option<Transition> {
        let Outcome { address, .. } = outcome;
        let old = self.states.get(address);
        let from = old.map(|old| old.state);
        let message = cut(&outcome.message);
        // That a repaired thing is still right is no news.
        let quiet = !outcome.changed
            && (from == outcome.state
                || (from == Some(ResourceState::Repaired) && outcome.state == Some(ResourceState::Compliant)));
        let cause = if from.is_none() { Cause::Initial } else { outcome.cause };
        let by = self.culprits.get(address).filter(|_| cause == Cause::Corrective).cloned();
        match outcome.state {
            Some(state) => {
                let since = old.filter(|old| old.state == state).map_or(now, |old| old.since);
                let known = KnownState { address: address.clone(), state, message: message.clone(), since };
                let earlier = page.remove(address).and_then(|record| record.change);
                let change = LastChange { at: now, cause, message: message.clone(), by: by.clone() };
                let change = if outcome.changed { Some(change) } else { earlier };
                page.insert(address.clone(), Record { known: known.clone(), change });
                self.states.insert(address.clone(), known);
            }
            None => {
                page.remove(address);
                self.states.remove(address);
            }
        }
        if quiet {
            return None;
        }
        self.last_seq += 1;
        Some(Transition {
            seq: self.last_seq,
            address: address.clone(),
            from,
            to: outcome.state,
            cause,
            message,
            at: now,
            by,
        })
    }
}

/// The key of the page that an address lies in.
fn page_of(address: &Address) -> String {
    format!("{PAGE_PREFIX}{:02x}", Sha256Digest::of(address.to_string().as_bytes()).first_byte())
}

/// What is known of one resource, and its last change, beside a worker that goes on.
///
/// # Errors
/// When the store cannot be read.
pub fn load_known(store: &Store, address: &Address) -> Result<(Option<KnownState>, Option<LastChange>), StoreError> {
    let mut page = store.load::<Page>(&page_of(address))?.unwrap_or_default();
    Ok(page.remove(address).map_or((None, None), |record| (Some(record.known), record.change)))
}

fn cut(text: &str) -> String {
    let mut end = text.len().min(MAX_TEXT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}
