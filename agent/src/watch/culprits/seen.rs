//! Processes that were seen a moment ago.

use crate::io::process::Process;
use rustix::fd::{AsFd, OwnedFd};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// So long after it was seen alive the id of a process still stands for it. Ids are given out in turn: none comes
/// again before all others were used, and that takes longer.
const SAME: Duration = Duration::from_millis(100);
/// More are not remembered.
const MAX_SEEN: usize = 64;

/// Who was seen, by process id.
#[derive(Debug, Default)]
pub(super) struct SeenProcesses {
    seen: HashMap<u32, (Instant, Process)>,
}

impl SeenProcesses {
    /// Who the process of an event is. `alive` stands for it as long as it is there; when it has ended since, it may
    /// have been seen before. `afresh`: it is looked at again even if it was just seen.
    pub(super) fn look(&mut self, pid: u32, alive: Option<&OwnedFd>, afresh: bool, now: Instant) -> Option<Process> {
        self.seen.retain(|_, (then, _)| now.duration_since(*then) < SAME);
        if !afresh && self.seen.contains_key(&pid) {
            return None;
        }
        let process = alive.and_then(|alive| Process::look(pid, alive.as_fd()));
        match process {
            Some(process) => {
                if self.seen.len() < MAX_SEEN {
                    self.seen.insert(pid, (now, process.clone()));
                }
                Some(process)
            }
            None => self.seen.get(&pid).map(|(_, process)| process.clone()),
        }
    }
}
