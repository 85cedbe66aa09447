//! Looks that wait for a better moment.

use crate::resource::Patience;
use muster_schema::Address;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// While somebody installs packages, it is looked whether that is over so often. The package manager's lock says so;
/// its database is at rest now and then in the middle, too.
const BUSY_PAUSE: Duration = Duration::from_millis(200);
/// Nobody may keep things from being put right by an installation that never ends.
const LONGEST_HOLD: Duration = Duration::from_secs(600);

/// What is to be looked at, and when.
#[derive(Debug, Default)]
pub struct Later {
    waiting: BTreeMap<Address, Waiting>,
    held_since: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    due: Instant,
    for_installer: bool,
}

impl Later {
    /// Looks at it at `due`, or earlier if that was said before, and then as soon as its patience allows.
    pub fn at(&mut self, address: Address, due: Instant, patience: Patience) {
        let waiting = Waiting { due, for_installer: patience.waits_for_installer() };
        let known = self.waiting.entry(address).or_insert(waiting);
        known.due = known.due.min(due);
    }

    /// It is looked at now.
    pub fn forget(&mut self, address: &Address) {
        self.waiting.remove(address);
    }

    /// When something is due.
    pub fn due(&self) -> Option<Instant> {
        self.waiting.values().map(|waiting| waiting.due).min()
    }

    /// What is due. As long as somebody else is `installing`, what waits for that is held back.
    pub fn take_due(&mut self, now: Instant, installing: impl Fn() -> bool) -> BTreeSet<Address> {
        let is_due = |waiting: &Waiting| waiting.due <= now;
        let asks = self.waiting.values().any(|waiting| is_due(waiting) && waiting.for_installer);
        if asks && self.is_held(now, installing) {
            for waiting in self.waiting.values_mut().filter(|waiting| waiting.for_installer) {
                waiting.due = waiting.due.max(now + BUSY_PAUSE);
            }
        }
        let mut due = BTreeSet::new();
        self.waiting.retain(|address, waiting| {
            if is_due(waiting) {
                due.insert(address.clone());
            }
            !is_due(waiting)
        });
        due
    }

    fn is_held(&mut self, now: Instant, installing: impl Fn() -> bool) -> bool {
        if !installing() {
            self.held_since = None;
            return false;
        }
        now.duration_since(*self.held_since.get_or_insert(now)) < LONGEST_HOLD
    }
}
