//! What the demo measured.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

/// The demo's figures, in milliseconds; one for each host where hosts are named.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Figures {
    /// Every step was observed on disk.
    pub observed: bool,
    /// From the approving push to the last file of the first manifest.
    pub approved_to_converged_ms: BTreeMap<String, f64>,
    /// From the branch's move in the bare repository to the new content on disk.
    pub push_to_applied_ms: BTreeMap<String, f64>,
    /// From the end of the tampering write to the right content on disk.
    pub drift_to_healed_ms: f64,
    /// From the branch's move to the old content on disk.
    pub revert_to_restored_ms: BTreeMap<String, f64>,
    /// From the reverting push to the status branch that says so; the branch takes a commit at most every 5 s.
    pub revert_to_status_ms: f64,
    /// The whole demo.
    pub total_ms: f64,
    /// Where the status page was.
    pub status_page: String,
}

/// A duration in milliseconds, with microseconds.
pub(super) fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
