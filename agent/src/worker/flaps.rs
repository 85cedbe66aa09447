//! What somebody else changes back again and again.

use super::Worker;
use crate::converge::{ConvergeError, Converged};
use crate::io::clock;
use crate::resource::Patience;
use crate::watch::{FLAP_REPAIRS, FLAP_WINDOW};
use muster_schema::Address;
use muster_schema::state::ResourceState;
use std::collections::BTreeSet;
use std::time::Instant;

impl Worker {
    /// Those that are not left alone for a while.
    pub(super) fn calm(&mut self, addresses: BTreeSet<Address>, now: Instant) -> BTreeSet<Address> {
        let calm: BTreeSet<Address> = addresses.into_iter().filter(|address| !self.flaps.flaps(address, now)).collect();
        self.flapping.retain(|address, _| !calm.contains(address));
        calm
    }

    /// Counts what was put right and what could not be. What was it too often is left alone, and its report says so.
    pub(super) fn count_flaps(
        &mut self,
        converged: &Converged,
        looked_at: &BTreeSet<Address>,
        now: Instant,
    ) -> Result<(), ConvergeError> {
        for outcome in &converged.outcomes {
            let failed = outcome.state == Some(ResourceState::Error) && looked_at.contains(&outcome.address);
            if !(failed || outcome.changed) || !self.flaps.count(&outcome.address, failed, now) {
                continue;
            }
            if failed {
                // Why it fails is known already.
                tracing::warn!(address = %outcome.address, "it cannot be put right; it is tried again after a while");
                continue;
            }
            self.later.at(outcome.address.clone(), now + FLAP_WINDOW, Patience::Writer);
            let known = &self.input.converger.managed().known;
            let by = known.culprit(&outcome.address).map(|by| format!(", last by {by}")).unwrap_or_default();
            let window = FLAP_WINDOW.as_secs();
            let message = format!("changed back {FLAP_REPAIRS} times in {window} s{by}; left as it is for as long");
            tracing::warn!(address = %outcome.address, "{message}");
            self.input.converger.flag(&outcome.address, &message, clock::now())?;
            self.flapping.insert(outcome.address.clone(), message);
        }
        Ok(())
    }
}
