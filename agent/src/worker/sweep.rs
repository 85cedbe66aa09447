//! Full sweeps: the net under all watching.

use super::Worker;
use crate::accepted::commit_converged;
use crate::converge::{ConvergeError, Converged, Extent};
use crate::io::clock;
use crate::known::Known;
use muster_schema::Address;
use muster_schema::content::BlobRef;
use muster_schema::state::Cause;
use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::Ordering;
use std::time::Instant;

impl Worker {
    /// Looks at everything.
    pub(super) fn sweep(&mut self, cause: Cause) -> Result<(), ConvergeError> {
        let begun = Instant::now();
        let cpu = clock::thread_cpu();
        let stop = self.stop();
        self.begin_blame(Extent::All);
        let converged = self.input.converger.converge(cause, Extent::All, &stop, clock::now)?;
        self.counts.sweeps += 1;
        self.counts.cpu += clock::thread_cpu().saturating_sub(cpu);
        self.next_sweep = Instant::now() + self.input.sweep_interval;
        log_changes(&converged, &self.input.converger.managed().known);
        self.note_all_failures(&converged);
        self.end_blame();
        self.tell();
        let changes = converged.changes();
        if cause != Cause::Corrective || changes > 0 {
            tracing::info!(%cause, changes, took = ?begun.elapsed(), "converged");
        }
        if let Some(extensions) = self.input.converger.managed().host.extensions() {
            extensions.end_idle();
        }
        self.watch_units();
        self.set_polled();
        self.set_timed(Extent::All);
        self.set_checks(false);
        let unseen = self.watch_paths();
        self.note_unwatched();
        self.look_at_unseen(unseen)?;
        if cause != Cause::Corrective && !converged.stopped {
            if let Some(applied) = &self.input.applied {
                commit_converged(&self.input.converger.managed().store, applied.manifest)?;
            }
            self.forget_contents()?;
        }
        Ok(())
    }

    /// Watches the places of all that is managed. Answers what may have changed there unseen.
    fn watch_paths(&mut self) -> BTreeSet<Address> {
        let number = self.input.converger.schedule_number();
        let Some(watch) = &mut self.watch else { return BTreeSet::new() };
        if self.watched_schedule == Some(number) {
            return watch.renew_with_mounts();
        }
        self.watched_schedule = Some(number);
        watch.set_paths(self.input.converger.watched_paths())
    }

    /// Says of which units systemd is to tell, where that has changed.
    fn watch_units(&self) {
        let wanted = self.input.converger.watched_units();
        self.shared.units.send_if_modified(|units| {
            let other = *units != wanted;
            *units = wanted;
            other
        });
    }

    /// Forgets the contents that nothing names any more, unless a newer manifest is being fetched or waits for us:
    /// its contents are named by nothing that we know.
    fn forget_contents(&mut self) -> Result<(), ConvergeError> {
        let shared = self.shared.clone();
        let Ok(_nothing_comes) = shared.fetching.try_lock() else { return Ok(()) };
        if shared.preempt.load(Ordering::Relaxed) {
            return Ok(());
        }
        let needed: HashSet<BlobRef> = self.input.manifest.into_iter().collect();
        Ok(self.input.converger.forget_contents(&needed)?)
    }
}

pub(super) fn log_changes(converged: &Converged, known: &Known) {
    for outcome in converged.outcomes.iter().filter(|outcome| outcome.changed) {
        let drift = outcome.cause == Cause::Corrective;
        let by = known.culprit(&outcome.address).filter(|_| drift).map(tracing::field::display);
        tracing::info!(address = %outcome.address, cause = %outcome.cause, by, "{}", outcome.message);
    }
}
