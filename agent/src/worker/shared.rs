//! What the worker and the cycle share.

use crate::watch::WatchedUnits;
use muster_schema::report::Report;
use std::sync::atomic::AtomicBool;
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
    /// Wakes the sender of reports.
    pub report_due: tokio::sync::Notify,
}

impl Shared {
    /// The newest state of the host, without news.
    pub fn report(&self) -> Option<Report> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_report(&self, report: Report) {
        *self.report.lock().unwrap_or_else(PoisonError::into_inner) = Some(report);
        self.report_due.notify_one();
    }
}
