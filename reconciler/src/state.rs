//! What the cycle writes and the surfaces read.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

pub use muster_schema::fleet_api::{RevisionView, Verdict};
use muster_schema::{CommitId, Timestamp};

use crate::events::EventLog;
use crate::status::FleetStatus;
use crate::verify::SigningPolicy;

/// How many revisions are remembered.
const MAX_REVISIONS: usize = 100;

/// The state of a running orchestrator. The cycle is its only writer, but for
/// where the branch is; locks are held for the time of a copy, never across I/O.
#[derive(Debug)]
pub struct SharedState {
    fleet: RwLock<FleetStatus>,
    revisions: RwLock<VecDeque<RevisionView>>,
    tip: RwLock<Option<CommitId>>,
    policy: RwLock<Option<Arc<SigningPolicy>>>,
    /// What happened.
    pub events: EventLog,
    /// Counters for `/metrics`.
    pub counters: Counters,
}

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Counters {
    /// Revisions reconciled.
    pub reconciles: AtomicU64,
    /// Duration of the last reconcile, in microseconds.
    pub reconcile_micros: AtomicU64,
    /// Manifests published.
    pub manifests: AtomicU64,
    /// Reports folded.
    pub reports: AtomicU64,
    /// Messages refused.
    pub refused: AtomicU64,
}

impl Counters {
    /// Adds `n` to a counter.
    pub fn add(counter: &AtomicU64, n: usize) {
        counter.fetch_add(n as u64, Ordering::Relaxed);
    }
}

impl SharedState {
    /// The state at the start.
    pub fn new(fleet: FleetStatus) -> Self {
        SharedState {
            fleet: RwLock::new(fleet),
            revisions: RwLock::default(),
            tip: RwLock::default(),
            policy: RwLock::default(),
            events: EventLog::default(),
            counters: Counters::default(),
        }
    }

    /// The fleet, to read.
    pub fn fleet(&self) -> RwLockReadGuard<'_, FleetStatus> {
        self.fleet.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The fleet, to write; for the cycle alone.
    pub fn fleet_mut(&self) -> RwLockWriteGuard<'_, FleetStatus> {
        self.fleet.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The last revisions, newest first.
    pub fn revisions(&self) -> Vec<RevisionView> {
        let held = self.revisions.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        held.iter().rev().cloned().collect()
    }

    /// Remembers a revision; one that is looked at again takes its old place's record over.
    pub fn record_revision(&self, record: RevisionView) {
        let mut held = self.revisions.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        held.retain(|old| old.id != record.id);
        held.push_back(record);
        while held.len() > MAX_REVISIONS {
            held.pop_front();
        }
    }

    /// Where the watched branch was last seen, whether the cycle has come to it yet or not.
    pub fn tip(&self) -> Option<CommitId> {
        self.tip.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Notes where the watched branch is; for those who watch it.
    pub fn note_tip(&self, tip: CommitId) {
        *self.tip.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(tip);
    }

    /// Who may do what, by the newest verified revision; nothing until there is one.
    pub fn policy(&self) -> Option<Arc<SigningPolicy>> {
        self.policy.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Takes the policy of a newer revision; for the cycle alone.
    pub fn set_policy(&self, policy: Arc<SigningPolicy>) {
        *self.policy.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(policy);
    }

    /// How many hosts are on each axis at `now`, by the axis' name and value.
    pub fn count_axes(&self, now: Timestamp) -> HashMap<(&'static str, String), usize> {
        let mut counts = HashMap::new();
        for host in self.fleet().hosts.values() {
            let axes = host.axes(now);
            for key in [
                ("sync", axes.sync.to_string()),
                ("health", axes.health.to_string()),
                ("contact", axes.contact.to_string()),
            ] {
                *counts.entry(key).or_insert(0) += 1;
            }
        }
        counts
    }
}
