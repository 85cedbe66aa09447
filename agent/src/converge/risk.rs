//! What waits for the orchestrator after a risky change.

use super::{ConvergeError, Converger, Extent};
use crate::apply::{begin_wait, confirm_armed, revert_armed};
use muster_schema::state::Cause;
use muster_schema::{Sha256Digest, Timestamp};

impl Converger {
    /// What was taken back under another content of the manifest is tried again under this one.
    ///
    /// # Errors
    /// When the agent's own disk refuses.
    pub fn go_on_under(&mut self, content: Sha256Digest) -> Result<(), ConvergeError> {
        Ok(self.managed.risk.forget_reverted(&self.managed.store, content)?)
    }

    /// The run that armed changes is over: from `now` on the time counts.
    ///
    /// # Errors
    /// When the agent's own disk refuses.
    pub fn begin_wait(&mut self, now: Timestamp) -> Result<(), ConvergeError> {
        Ok(begin_wait(&mut self.managed, now)?)
    }

    /// The orchestrator was reached after the armed change of this number. Answers whether all stands now.
    ///
    /// # Errors
    /// When the agent's own disk refuses.
    pub fn confirm_armed(&mut self, number: u64) -> Result<bool, ConvergeError> {
        Ok(confirm_armed(&mut self.managed, number)?)
    }

    /// Takes back what is armed, and lets those react whom it concerns. It is not tried again under this content.
    ///
    /// # Errors
    /// When the agent's own disk refuses.
    pub fn revert_armed(&mut self, content: Option<Sha256Digest>, now: fn() -> Timestamp) -> Result<(), ConvergeError> {
        let reactors = revert_armed(&mut self.managed, &self.schedule, content, now())?;
        self.reschedule()?;
        if !reactors.is_empty() {
            self.converge(Cause::Cascade, Extent::Only(&reactors), &|| false, now)?;
        }
        Ok(())
    }
}
