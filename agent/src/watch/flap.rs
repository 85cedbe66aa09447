//! Two that fight over one thing must not burn the host.

use muster_schema::Address;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// So many repairs within the window are a fight.
const REPAIRS: usize = 20;
const WINDOW: Duration = Duration::from_secs(60);

/// Counts repairs. Sweeps go on repairing; only the answer to events waits.
#[derive(Debug, Default)]
pub struct FlapLimit {
    repairs: HashMap<Address, Vec<Instant>>,
}

impl FlapLimit {
    /// Counts a repair. Says whether the thing flaps from now on.
    pub fn count(&mut self, address: &Address, now: Instant) -> bool {
        let repairs = self.repairs.entry(address.clone()).or_default();
        repairs.retain(|then| now.duration_since(*then) < WINDOW);
        repairs.push(now);
        repairs.len() == REPAIRS
    }

    /// Whether events about it are to wait for the next sweep.
    pub fn flaps(&self, address: &Address, now: Instant) -> bool {
        let recent = |then: &&Instant| now.duration_since(**then) < WINDOW;
        self.repairs.get(address).is_some_and(|repairs| repairs.iter().filter(recent).count() >= REPAIRS)
    }

    /// Forgets what was long ago.
    pub fn forget_old(&mut self, now: Instant) {
        self.repairs.retain(|_, repairs| repairs.last().is_some_and(|last| now.duration_since(*last) < WINDOW));
    }
}
