//! What nothing tells of, because its type has no events or a place could not be watched: looked at every few seconds.

use super::Worker;
use super::events::EventBatch;
use crate::converge::ConvergeError;
use crate::io::clock;
use crate::watch::Watch;
use muster_schema::Address;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const SHORTEST: Duration = Duration::from_secs(5);
/// After a look it rests so many times longer than the look took, so that many files do not cost a whole processor.
const REST: u32 = 100;

/// What is polled.
#[derive(Default)]
pub(super) struct Poll {
    polled: BTreeSet<Address>,
    unwatched: BTreeSet<Address>,
    next: Option<Instant>,
}

impl Poll {
    /// When to look.
    pub(super) fn due(&self) -> Option<Instant> {
        if self.polled.is_empty() && self.unwatched.is_empty() { None } else { self.next }
    }
}

impl Worker {
    /// Takes up which types are polled.
    pub(super) fn set_polled(&mut self) {
        self.poll.polled = self.input.converger.polled();
        self.poll.next.get_or_insert_with(|| Instant::now() + SHORTEST);
    }

    /// Takes up what the watch cannot watch, and says so where that is new.
    pub(super) fn note_unwatched(&mut self) {
        let before = self.unwatched_places;
        (self.unwatched_places, self.poll.unwatched) = match &self.watch {
            Some(watch) if watch.unwatched_places() == 0 => (0, BTreeSet::new()),
            Some(watch) => (watch.unwatched_places(), watch.unwatched()),
            None => {
                let owners = self.input.converger.watched_paths();
                (owners.len(), owners.into_values().flatten().collect())
            }
        };
        if self.unwatched_places != before {
            self.tell();
        }
    }

    /// Watches what appeared, and answers what lay there before.
    pub(super) fn renew_watches(&mut self) -> BTreeSet<Address> {
        let unseen = self.watch.as_mut().map(Watch::renew).unwrap_or_default();
        self.note_unwatched();
        unseen
    }

    /// Looks, if it is time.
    pub(super) fn poll(&mut self, now: Instant) -> Result<(), ConvergeError> {
        if self.poll.due().is_none_or(|due| now < due) {
            return Ok(());
        }
        let cpu = clock::thread_cpu();
        let addresses = self.poll.polled.union(&self.poll.unwatched).cloned().collect();
        self.heal(EventBatch { now: addresses, ..EventBatch::default() })?;
        let rest = clock::thread_cpu().saturating_sub(cpu) * REST;
        self.poll.next = Some(Instant::now() + rest.max(SHORTEST));
        Ok(())
    }
}
