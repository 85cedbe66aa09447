//! What changes by the clock alone, such as a certificate that is to be renewed, is looked at when its time has come.

use super::Worker;
use super::events::EventBatch;
use crate::converge::{ConvergeError, Extent};
use crate::io::clock;
use muster_schema::{Address, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// What changes by the clock, and when.
#[derive(Default)]
pub(super) struct Timed(BTreeMap<Address, Timestamp>);

impl Worker {
    /// Takes up when these change, after a look at them. What is overdue then waits for the next sweep.
    pub(super) fn set_timed(&mut self, extent: Extent<'_>) {
        match extent {
            Extent::All => self.timed.0.clear(),
            Extent::Only(addresses) => self.timed.0.retain(|address, _| !addresses.contains(address)),
        }
        self.timed.0.extend(self.input.converger.next_changes(extent, clock::now()));
    }

    /// When the next changes, by the clock as it is now.
    pub(super) fn timed_due(&self) -> Option<Instant> {
        let next = self.timed.0.values().min()?;
        Some(Instant::now() + next.since(clock::now()))
    }

    /// Looks at that whose time has come.
    pub(super) fn look_at_timed(&mut self) -> Result<(), ConvergeError> {
        let now = clock::now();
        let due: BTreeSet<Address> =
            self.timed.0.iter().filter(|(_, at)| **at <= now).map(|(address, _)| address.clone()).collect();
        if due.is_empty() {
            return Ok(());
        }
        self.timed.0.retain(|address, _| !due.contains(address));
        self.heal(EventBatch { now: due, ..EventBatch::default() })
    }
}
