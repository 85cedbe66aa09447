//! What was refused, for those who watch: all are counted, few are told, so
//! that a flood does not wash everything else out of sight.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use muster_schema::{HostId, ReceiptCode, Timestamp};
use tokio::sync::broadcast;

use super::inbound::Source;
use crate::enrolment::RateLimit;
use crate::inbound::Refusal;

/// Of each code so many at once, and one a second in the long run.
const BURST: u32 = 5;
const WAITING: usize = 64;

/// A message that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedMessage {
    /// When.
    pub at: Timestamp,
    /// Why, in a word.
    pub code: ReceiptCode,
    /// Why, for people.
    pub message: String,
    /// As whom the sender spoke, where its signature stands. The id is only a
    /// claim where the code says so: `UnknownKey`, `WrongHost`.
    pub host: Option<HostId>,
    /// Where it came from.
    pub source: String,
}

pub(super) struct RefusalLog {
    count: AtomicU64,
    limit: Mutex<RateLimit<ReceiptCode>>,
    sender: broadcast::Sender<RefusedMessage>,
}

impl RefusalLog {
    pub(super) fn new() -> Self {
        let limit = RateLimit::new(BURST, 1, ReceiptCode::ALL.len());
        RefusalLog { count: AtomicU64::new(0), limit: Mutex::new(limit), sender: broadcast::Sender::new(WAITING) }
    }

    pub(super) fn note(&self, refusal: &Refusal, source: Source, now: Timestamp) {
        self.count.fetch_add(1, Ordering::Relaxed);
        let told = self.limit.lock().unwrap_or_else(PoisonError::into_inner).take(refusal.code, now);
        if !told {
            return;
        }
        let refused = RefusedMessage {
            at: now,
            code: refusal.code,
            message: refusal.message.clone(),
            host: refusal.answer_to.as_ref().map(|to| to.0.id.clone()),
            source: source.network(),
        };
        tracing::warn!(code = %refused.code, host = ?refused.host, source = refused.source, reason = refused.message, "a message was refused");
        // Nobody watching is no error.
        let _ = self.sender.send(refused);
    }

    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<RefusedMessage> {
        self.sender.subscribe()
    }
}
