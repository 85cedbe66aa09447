//! Exceptions come to their end without a new manifest.

use super::Worker;
use crate::converge::ConvergeError;
use muster_schema::report::{ExceptionReport, MAX_LISTED};
use muster_schema::resource::Held;
use muster_schema::state::Cause;
use std::time::{Duration, Instant};

/// While the head has expired time stands still, and the end of an exception does not come nearer.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

impl Worker {
    /// Converges anew when an exception has ended.
    pub(super) fn judge_exceptions(&mut self) -> Result<(), ConvergeError> {
        let changed = self.input.converger.judge_exceptions(self.shared.judged_time())?;
        if changed && !self.input.retired { self.sweep(Cause::Intentional) } else { Ok(()) }
    }

    /// When the next exception ends.
    pub(super) fn exception_due(&self) -> Option<Instant> {
        let end = self.input.converger.exceptions().map(|(_, exception)| exception.until).min()?;
        Some(Instant::now() + end.since(self.shared.judged_time()).max(SHORTEST_WAIT))
    }

    /// What holds now, for a report.
    pub(super) fn report_exceptions(&self) -> Vec<ExceptionReport> {
        let exceptions = self.input.converger.exceptions().take(MAX_LISTED);
        exceptions
            .map(|(address, exception)| ExceptionReport {
                address: address.clone(),
                reason: exception.reason.clone(),
                until: exception.until,
                waived: exception.holds == Held::Waiver,
            })
            .collect()
    }
}
