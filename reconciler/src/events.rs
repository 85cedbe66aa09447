//! What happened, for people and dashboards.

use std::collections::VecDeque;
use std::sync::Mutex;

pub use muster_schema::fleet_api::{Event, EventKind};
use muster_schema::{HostId, Timestamp};
use tokio::sync::broadcast;

#[cfg(test)]
mod tests;

/// How many events are kept for those who come later.
const KEPT: usize = 1000;

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
        let mut kept = self.lock();
        // By the time, so that they go on counting after a restart.
        let id = kept.back().map_or(at.0, |event| at.0.max(event.id + 1));
        let event = Event { id, at, kind, host, message: message.into() };
        kept.push_back(event.clone());
        if kept.len() > KEPT {
            kept.pop_front();
        }
        // Nobody listening is no error.
        let _ = self.sender.send(event);
    }

    /// The kept events, oldest first.
    pub fn kept(&self) -> Vec<Event> {
        self.lock().iter().cloned().collect()
    }

    /// What follows the event `last`; without one, what is yet to come.
    pub fn follow(&self, last: Option<u64>) -> Following {
        let kept = self.lock();
        let is_known = last.is_none_or(|last| kept.iter().any(|event| event.id == last));
        let missed = last.map_or_else(Vec::new, |last| kept.iter().filter(|event| event.id > last).cloned().collect());
        Following { is_whole: is_known, missed, coming: self.sender.subscribe() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Event>> {
        self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// What follows an event.
#[derive(Debug)]
pub struct Following {
    /// Whether nothing between that event and the first of `missed` was lost.
    pub is_whole: bool,
    /// What came after it and is kept, oldest first.
    pub missed: Vec<Event>,
    /// What is yet to come.
    pub coming: broadcast::Receiver<Event>,
}
