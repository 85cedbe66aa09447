//! When the next status commit is due.

use std::time::Duration;

use muster_schema::Timestamp;

/// The shortest time between two commits.
const SHORTEST: Duration = Duration::from_secs(5);
/// The shortest time before a commit for the audit log alone.
const FOR_AUDIT: Duration = Duration::from_secs(5 * 60);

/// The first change is committed at once, then at most one commit per five seconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct CommitPace {
    last: Option<Timestamp>,
}

impl CommitPace {
    /// How long a change that is there at `now` waits for its commit. A clock
    /// that was set back does not hold commits up.
    pub fn wait(&self, now: Timestamp) -> Duration {
        self.rest(SHORTEST, now)
    }

    /// How long a commit waits that would tell of the audit log alone.
    pub fn wait_for_audit(&self, now: Timestamp) -> Duration {
        self.rest(FOR_AUDIT, now)
    }

    fn rest(&self, shortest: Duration, now: Timestamp) -> Duration {
        match self.last {
            Some(last) if now >= last => shortest.saturating_sub(now.since(last)),
            _ => Duration::ZERO,
        }
    }

    /// Notes that a commit was made at `now`.
    pub fn committed(&mut self, now: Timestamp) {
        self.last = Some(now);
    }
}

#[cfg(test)]
mod tests;
