//! Two that fight over one thing must not burn the host.

use muster_schema::Address;
use std::collections::HashMap;
use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// So many repairs within the window are a fight.
pub const FLAP_REPAIRS: usize = 20;
/// So many that did not work are enough: a service that cannot start tells of each try.
const FAILURES: usize = 3;
/// Over so long it is counted, and so long it is left alone.
pub const FLAP_WINDOW: Duration = Duration::from_secs(60);

/// Counts repairs. Sweeps go on repairing; only the answer to events waits.
#[derive(Debug, Default)]
pub struct FlapLimit {
    tries: HashMap<Address, Tries>,
}

#[derive(Debug, Default)]
struct Tries {
    repairs: Vec<Instant>,
    failures: Vec<Instant>,
}

impl Tries {
    fn are_too_many(&self, now: Instant) -> bool {
        let recent = |tries: &[Instant]| tries.iter().filter(|then| is_recent(**then, now)).count();
        recent(&self.repairs) >= FLAP_REPAIRS || recent(&self.failures) >= FAILURES
    }
}

impl FlapLimit {
    /// Counts a repair, or one that `failed`. Says whether the thing flaps from now on.
    pub fn count(&mut self, address: &Address, failed: bool, now: Instant) -> bool {
        let tries = self.tries.entry(address.clone()).or_default();
        if tries.are_too_many(now) {
            return false;
        }
        let list = if failed { &mut tries.failures } else { &mut tries.repairs };
        list.retain(|then| is_recent(*then, now));
        list.push(now);
        tries.are_too_many(now)
    }

    /// Whether it is left alone now.
    pub fn flaps(&self, address: &Address, now: Instant) -> bool {
        self.tries.get(address).is_some_and(|tries| tries.are_too_many(now))
    }

    /// Forgets what was long ago.
    pub fn forget_old(&mut self, now: Instant) {
        self.tries.retain(|_, tries| tries.repairs.iter().chain(&tries.failures).any(|then| is_recent(*then, now)));
    }
}

fn is_recent(then: Instant, now: Instant) -> bool {
    now.duration_since(then) < FLAP_WINDOW
}
