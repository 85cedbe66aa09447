//! What the worker and the cycle share.

use crate::io::clock;
use crate::watch::WatchedUnits;
use muster_schema::Timestamp;
use muster_schema::report::Report;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What the worker and the cycle share.
#[derive(Default)]
pub struct Shared {
    /// Something newer is there: a run in progress is to end at its next safe point.
    pub preempt: AtomicBool,
    /// Held from the first fetch of a manifest's contents until its order is given: what lies there and is named
    /// by nothing yet is not to be forgotten meanwhile.
    pub fetching: tokio::sync::Mutex<()>,
    report: Mutex<Option<Report>>,
    /// The units that systemd is to tell of.
    pub units: tokio::sync::watch::Sender<WatchedUnits>,
    /// The risky change after which the orchestrator is to be reached.
    pub awaits_contact: tokio::sync::watch::Sender<Option<u64>>,
    /// Wakes the sender of reports.
    pub report_due: tokio::sync::Notify,
    /// The last time that a signature vouched for, in milliseconds of Unix time.
    trusted: AtomicU64,
    /// When the head in force ends, in milliseconds of Unix time; 0 while there is none.
    head_end: AtomicU64,
}

impl Shared {
    /// Goes by the time that a verified head tells.
    pub fn note_head(&self, issued: Timestamp, expires: Timestamp) {
        self.note_trusted(issued);
        self.head_end.store(expires.0, Ordering::Relaxed);
    }

    /// It is not earlier than this: somebody who is trusted has said so.
    pub fn note_trusted(&self, time: Timestamp) {
        self.trusted.fetch_max(time.0, Ordering::Relaxed);
    }

    /// The time by which exceptions are judged: the later of the clock and the last trusted time. It stands still
    /// once the head has expired, so that nothing changes that nobody can have taken back.
    pub fn judged_time(&self) -> Timestamp {
        let now = clock::now().0.max(self.trusted.load(Ordering::Relaxed));
        match self.head_end.load(Ordering::Relaxed) {
            0 => Timestamp(now),
            end => Timestamp(now.min(end)),
        }
    }

    /// The newest state of the host, without news.
    pub fn report(&self) -> Option<Report> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_report(&self, report: Report) {
        *self.report.lock().unwrap_or_else(PoisonError::into_inner) = Some(report);
        self.report_due.notify_one();
    }
}
