//! How much of a flood of equal decisions is written down.

use std::collections::HashMap;
use std::time::Duration;

use muster_schema::Timestamp;

/// What begins and ends within it counts as one flood.
const WINDOW: Duration = Duration::from_secs(60);
/// So many of a kind are written down in that time: who floods us shall not fill the disk.
const MOST: u32 = 20;
/// So many kinds are told apart.
const MOST_KINDS: usize = 1024;

/// Counts entries by kind.
#[derive(Debug, Default)]
pub struct EntryLimit {
    windows: HashMap<String, Window>,
}

#[derive(Debug, Default)]
struct Window {
    since: Timestamp,
    count: u32,
    unwritten: u64,
}

impl EntryLimit {
    /// Whether one more of this kind is written down at `now`; then, how many before it were not.
    pub fn admit(&mut self, kind: &str, now: Timestamp) -> Option<u64> {
        if self.windows.len() >= MOST_KINDS && !self.windows.contains_key(kind) {
            self.windows.retain(|_, window| now.since(window.since) <= WINDOW);
        }
        // Beyond that number all others are of one kind.
        let is_full = self.windows.len() >= MOST_KINDS && !self.windows.contains_key(kind);
        let window = self.windows.entry(if is_full { String::new() } else { kind.to_owned() }).or_default();
        if now.since(window.since) > WINDOW || now < window.since {
            (window.since, window.count) = (now, 0);
        }
        if window.count >= MOST {
            window.unwritten = window.unwritten.saturating_add(1);
            return None;
        }
        window.count += 1;
        Some(std::mem::take(&mut window.unwritten))
    }
}
