//! What could not be put right, and what waits for that, is tried again without anybody's asking: what it lacked may
//! be there by now.

use super::Worker;
use crate::converge::{ConvergeError, Converged};
use muster_schema::Address;
use muster_schema::state::ResourceState;
use std::collections::BTreeSet;
use std::time::Instant;

impl Worker {
    /// Takes up what failed among that which was looked at.
    pub(super) fn note_failures(&mut self, converged: &Converged) {
        let now = Instant::now();
        for outcome in &converged.outcomes {
            self.retries.note(&outcome.address, has_failed(outcome.state), now);
        }
    }

    /// As [`Worker::note_failures`], after a look at everything.
    pub(super) fn note_all_failures(&mut self, converged: &Converged) {
        self.note_failures(converged);
        if !converged.stopped {
            let failed: BTreeSet<&Address> = converged
                .outcomes
                .iter()
                .filter(|outcome| has_failed(outcome.state))
                .map(|outcome| &outcome.address)
                .collect();
            self.retries.keep(&failed);
        }
    }

    /// When something is tried again.
    pub(super) fn retries_due(&self) -> Option<Instant> {
        self.retries.due().filter(|_| self.input.applied.is_some() && !self.input.retired)
    }

    /// Tries what is due.
    pub(super) fn retry(&mut self, now: Instant) -> Result<(), ConvergeError> {
        if self.retries_due().is_none() {
            return Ok(());
        }
        let due = self.retries.take_due(now);
        if due.is_empty() {
            return Ok(());
        }
        self.look_at(&due)?;
        self.end_blame();
        let unseen = self.renew_watches();
        self.look_at_unseen(unseen)
    }
}

fn has_failed(state: Option<ResourceState>) -> bool {
    matches!(state, Some(ResourceState::Error | ResourceState::Blocked))
}
