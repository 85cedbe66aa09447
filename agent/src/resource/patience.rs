//! How long an event waits before what it is about is looked at.

use std::time::Duration;

/// Until when a change that somebody else makes is likely to be whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Until the writer has closed the file; a moment longer where nobody tells.
    Writer,
    /// It takes several steps.
    Steps,
    /// It takes several steps, and is not whole before nobody installs packages any more: half of them is there, and
    /// what was stopped for an upgrade is to be started by it.
    Installation,
}

impl Patience {
    /// How long to wait after an event. A `complete` one says that its writer is done.
    pub fn pause(self, complete: bool) -> Duration {
        match self {
            Patience::Writer if complete => Duration::ZERO,
            Patience::Writer => Duration::from_millis(50),
            Patience::Steps | Patience::Installation => Duration::from_millis(150),
        }
    }

    /// Whether to wait, after that, until nobody installs packages.
    pub fn waits_for_installer(self) -> bool {
        self == Patience::Installation
    }
}
