//! Checks: the worker keeps their times and takes their answers; probes run on threads of their own, and none of them
//! holds up a change.

use super::{Order, ProbeAnswer, Worker};
use crate::accepted::commit_checked;
use crate::checks::{CheckState, Probe};
use crate::converge::ConvergeError;
use crate::host::RealHost;
use crate::io::clock;
use crate::io::probe::run_probe;
use muster_schema::Address;
use std::path::Path;
use std::sync::mpsc::Sender;
use std::time::Instant;

#[cfg(test)]
mod tests;

impl Worker {
    /// Takes up the checks that are in force; `anew` where a new manifest is applied, so that all are asked again.
    pub(super) fn set_checks(&mut self, anew: bool) {
        let converger = &self.input.converger;
        self.checks.set(converger.checks(), anew, |address| converger.known_check(address), Instant::now());
    }

    /// Begins the probes that are due, and notices those that hang.
    pub(super) fn probe(&mut self, now: Instant) -> Result<(), ConvergeError> {
        let hanging = self.checks.take_hanging(now);
        self.note_checks(&hanging)?;
        for probe in self.checks.take_due(now) {
            begin(probe, &self.answers);
        }
        Ok(())
    }

    /// A probe has ended.
    pub(super) fn take_answer(&mut self, answer: ProbeAnswer) -> Result<(), ConvergeError> {
        let ProbeAnswer { address, number, answer } = answer;
        let state = self.checks.answer(&address, number, answer, Instant::now());
        let told: Vec<_> = state.map(|state| (address, state)).into_iter().collect();
        self.note_checks(&told)
    }

    fn note_checks(&mut self, told: &[(Address, CheckState)]) -> Result<(), ConvergeError> {
        if told.is_empty() {
            return Ok(());
        }
        for (address, state) in told {
            if let CheckState::Fails(why) = state {
                tracing::warn!(%address, "the check fails: {why}");
            }
            self.input.converger.note_check(address, state, clock::now())?;
        }
        if let Some(applied) = self.input.applied.as_ref().filter(|_| self.checks.are_decided()) {
            commit_checked(&self.input.converger.managed().store, applied.manifest)?;
        }
        self.tell();
        Ok(())
    }
}

/// Runs a probe beside us. Whatever becomes of it, there is an answer, or it hangs.
fn begin(probe: Probe, answers: &Sender<Order>) {
    let Probe { address, number, spec, timeout } = probe;
    let (teller, of_thread) = (answers.clone(), address.clone());
    let run = move || {
        let answer = match RealHost::open(Path::new("/")) {
            Ok(host) => run_probe(&spec, timeout, &host),
            Err(error) => Err(error.to_string()),
        };
        // The worker may have ended.
        let _ = teller.send(Order::Probed(ProbeAnswer { address: of_thread, number, answer }));
    };
    let thread = std::thread::Builder::new().name("probe".to_owned()).stack_size(512 << 10).spawn(run);
    if let Err(error) = thread {
        let answer = Err(format!("no probe can be begun: {error}"));
        let _ = answers.send(Order::Probed(ProbeAnswer { address, number, answer }));
    }
}
