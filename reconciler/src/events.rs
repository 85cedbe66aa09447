//! What happened, for people and dashboards.

use std::collections::VecDeque;
use std::sync::Mutex;

use muster_schema::{HostId, Timestamp};
use serde::Serialize;
use tokio::sync::broadcast;

/// How many events are kept for those who come later.
const KEPT: usize = 1000;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Counts up from 1 at each start of the orchestrator.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
    /// The host that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<HostId>,
    /// For people.
    pub message: String,
}

/// The kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A revision was verified and is being rolled out.
    RevisionVerified,
    /// A revision was refused.
    RevisionRejected,
    /// A revision has faults.
    RevisionFaulty,
    /// A host's new manifest was published.
    ManifestPublished,
    /// A host reported that it applied a manifest.
    HostApplied,
    /// A host repaired or noticed drift.
    HostDrift,
    /// A host's health changed.
    HostHealth,
    /// A host refused something.
    HostRejected,
    /// An agent waits for approval.
    EnrolmentPending,
    /// An agent was enrolled.
    EnrolmentDone,
    /// A machine is to be a host, by an enrolment token.
    TokenClaimed,
    /// Two machines speak with one host's key.
    HostCopied,
    /// A host's key was taken out of its file.
    KeyRevoked,
    /// A new root document counts: other keys, or a new epoch.
    RootFollowed,
    /// A host was retired.
    HostRetired,
    /// A message was refused.
    MessageRefused,
    /// The broker can be used.
    BrokerConnected,
    /// The broker cannot be used.
    BrokerLost,
}

/// The last events, and a way to wait for the next.
#[derive(Debug)]
pub struct EventLog {
    kept: Mutex<VecDeque<Event>>,
    sender: broadcast::Sender<Event>,
}

impl Default for EventLog {
    fn default() -> Self {
        EventLog { kept: Mutex::default(), sender: broadcast::Sender::new(KEPT) }
    }
}

impl EventLog {
    /// Adds an event.
    pub fn push(&self, at: Timestamp, kind: EventKind, host: Option<HostId>, message: impl Into<String>) {
        let mut kept = self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let id = kept.back().map_or(0, |event| event.id) + 1;
        let event = Event { id, at, kind, host, message: message.into() };
        kept.push_back(event.clone());
        if kept.len() > KEPT {
            kept.pop_front();
        }
        // Nobody listening is no error.
        let _ = self.sender.send(event);
    }

    /// The kept events after number `after`, and a receiver of all that follow.
    pub fn after(&self, after: u64) -> (Vec<Event>, broadcast::Receiver<Event>) {
        let kept = self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        (kept.iter().filter(|event| event.id > after).cloned().collect(), self.sender.subscribe())
    }
}
