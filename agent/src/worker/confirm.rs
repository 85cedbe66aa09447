//! Waiting for the orchestrator after a risky change.

use super::Worker;
use crate::converge::ConvergeError;
use crate::io::clock;
use std::time::{Duration, Instant};

/// What could not be taken back is tried again after this time.
const AGAIN: Duration = Duration::from_secs(30);

/// What is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Awaited {
    number: u64,
    pub(super) deadline: Instant,
}

impl Worker {
    /// Before anything else: what an earlier run left armed, over a restart of the agent or the host. What is overdue
    /// is taken back at once.
    pub(super) fn take_up_armed(&mut self) -> Result<(), ConvergeError> {
        let risk = &self.input.converger.managed().risk;
        let Some((armed, within)) = risk.armed().zip(risk.within) else { return Ok(()) };
        let left = Duration::from_millis(armed.deadline.0.saturating_sub(clock::now().0)).min(within);
        let number = armed.number;
        self.awaited = Some(Awaited { number, deadline: Instant::now() + left });
        if left.is_zero() {
            return self.revert();
        }
        self.shared.awaits_contact.send_replace(Some(number));
        Ok(())
    }

    /// After a run: if it armed something, asks for contact.
    pub(super) fn await_contact(&mut self) -> Result<(), ConvergeError> {
        let risk = &self.input.converger.managed().risk;
        let Some((number, within)) = risk.armed().map(|armed| armed.number).zip(risk.within) else { return Ok(()) };
        if self.awaited.is_some_and(|awaited| awaited.number == number) {
            return Ok(());
        }
        self.input.converger.begin_wait(clock::now())?;
        self.awaited = Some(Awaited { number, deadline: Instant::now() + within });
        self.shared.awaits_contact.send_replace(Some(number));
        tracing::info!(within = ?within, "a risky change was made; it stands when the orchestrator is reached");
        Ok(())
    }

    /// The orchestrator was reached after the change of this number.
    pub(super) fn contact(&mut self, number: u64) -> Result<(), ConvergeError> {
        if self.input.converger.confirm_armed(number)? {
            tracing::info!("the orchestrator was reached; the risky change stands");
            self.awaited = None;
            self.shared.awaits_contact.send_replace(None);
        }
        Ok(())
    }

    /// Takes back what waited for the orchestrator in vain, if it is time.
    pub(super) fn revert_overdue(&mut self, now: Instant) -> Result<(), ConvergeError> {
        if self.awaited.is_some_and(|awaited| awaited.deadline <= now) { self.revert() } else { Ok(()) }
    }

    fn revert(&mut self) -> Result<(), ConvergeError> {
        let content = self.input.applied.as_ref().map(|applied| applied.content);
        self.input.converger.revert_armed(content, clock::now)?;
        let left = self.input.converger.managed().risk.armed().map(|armed| armed.number);
        self.awaited = left.map(|number| Awaited { number, deadline: Instant::now() + AGAIN });
        // What could not be taken back still stands if the orchestrator is reached.
        self.shared.awaits_contact.send_replace(left);
        self.tell();
        Ok(())
    }
}
