//! Looks that wait for a better moment.

use muster_schema::{Address, Collection};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// While somebody installs packages, it is looked whether that is over so often.
const BUSY_PAUSE: Duration = Duration::from_secs(2);
/// Nobody may keep things from being put right by an installation that never ends.
const LONGEST_HOLD: Duration = Duration::from_secs(600);

/// What is to be looked at, and when.
#[derive(Debug, Default)]
pub struct Later {
    due: BTreeMap<Address, Instant>,
    held_since: Option<Instant>,
}

impl Later {
    /// Looks at it at `due`, or earlier if that was said before.
    pub fn at(&mut self, address: Address, due: Instant) {
        let known = self.due.entry(address).or_insert(due);
        *known = (*known).min(due);
    }

    /// Looks at it at `due` and not before.
    pub fn not_before(&mut self, address: Address, due: Instant) {
        self.due.insert(address, due);
    }

    /// It is looked at now.
    pub fn forget(&mut self, address: &Address) {
        self.due.remove(address);
    }

    /// When something is due.
    pub fn due(&self) -> Option<Instant> {
        self.due.values().min().copied()
    }

    /// What is due. As long as somebody else is `installing`, packages and services are held back: half of them is
    /// there, and what was stopped for an upgrade is to be started by it.
    pub fn take_due(&mut self, now: Instant, installing: impl Fn() -> bool) -> BTreeSet<Address> {
        let due = self.due.iter().filter(|(_, due)| **due <= now).map(|(address, _)| address.clone());
        let mut due: BTreeSet<Address> = due.collect();
        if due.iter().any(is_installed) && self.is_held(now, installing) {
            due.retain(|address| !is_installed(address));
            for (_, later) in self.due.iter_mut().filter(|(address, _)| is_installed(address)) {
                *later = (*later).max(now + BUSY_PAUSE);
            }
        }
        self.due.retain(|address, _| !due.contains(address));
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

/// Whether installing packages changes it.
fn is_installed(address: &Address) -> bool {
    matches!(address.collection(), Collection::Packages | Collection::Services)
}
