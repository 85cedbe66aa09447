//! What could not be put right is tried again, less and less often.

use muster_schema::Address;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// After so long it is tried again for the first time; then after twice as long, and so on.
const FIRST_PAUSE: Duration = Duration::from_secs(5);

/// What failed, and when it is tried again.
#[derive(Debug)]
pub struct Retries {
    longest: Duration,
    waiting: BTreeMap<Address, Retry>,
}

#[derive(Debug, Clone, Copy)]
struct Retry {
    pause: Duration,
    due: Instant,
}

impl Retries {
    /// Never waits longer than `longest`.
    pub fn up_to(longest: Duration) -> Retries {
        Retries { longest, waiting: BTreeMap::new() }
    }

    /// It `failed`, or did not. Failures before the next try change nothing: somebody else caused them.
    pub fn note(&mut self, address: &Address, failed: bool, now: Instant) {
        if !failed {
            self.waiting.remove(address);
        } else if !self.waiting.contains_key(address) {
            let pause = FIRST_PAUSE.min(self.longest);
            self.waiting.insert(address.clone(), Retry { pause, due: now + pause });
        }
    }

    /// Everything was looked at, and these failed: what else failed before is right or gone.
    pub fn keep(&mut self, failed: &BTreeSet<&Address>) {
        self.waiting.retain(|address, _| failed.contains(address));
    }

    /// When the next is tried.
    pub fn due(&self) -> Option<Instant> {
        self.waiting.values().map(|retry| retry.due).min()
    }

    /// What is tried now. Until it is noted that it did not fail, it is tried again after twice the pause.
    pub fn take_due(&mut self, now: Instant) -> BTreeSet<Address> {
        let mut due = BTreeSet::new();
        for (address, retry) in self.waiting.iter_mut().filter(|(_, retry)| retry.due <= now) {
            retry.pause = (retry.pause * 2).min(self.longest);
            retry.due = now + retry.pause;
            due.insert(address.clone());
        }
        due
    }
}
