//! Who makes drift: beside inotify, which only tells that something happened, fanotify tells which process did it.
//!
//! A thread reads each event at once and looks in /proc who the process is, before it ends. What it finds waits, by
//! path, until the resource is looked at. Where the kernel does not tell, or not in time, it stays unknown.

mod seen;
#[cfg(test)]
mod tests;
mod trace;

use super::owners::Owners;
use crate::io::fanotify::{Fanotify, FolderEvent, PlaceId};
use crate::io::process::user_name;
use muster_schema::{Address, Culprit};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::fd::OwnedFd;
use seen::SeenProcesses;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use trace::{Trace, Traces};

/// Several events, or one with the longest name.
const BUFFER: usize = 4096;
/// The thread reads a few files of /proc and calls nothing deep.
const STACK: usize = 256 * 1024;
/// Folders that moved away while they were marked. Then all marks are made anew.
const MAX_STALE: usize = 64;

/// Who touched what since it was looked at last.
#[derive(Debug)]
pub struct Culprits {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    queue: Fanotify,
    end: OwnedFd,
    found: Mutex<Found>,
}

#[derive(Debug, Default)]
struct Found {
    owners: Arc<Owners>,
    places: HashMap<PlaceId, PathBuf>,
    stale: usize,
    seen: SeenProcesses,
    traces: Traces,
    /// The agent itself changes things now.
    at_work: bool,
}

impl Culprits {
    /// Asks the kernel to tell, and listens on a thread of its own.
    ///
    /// # Errors
    /// Where it does not.
    pub fn begin() -> io::Result<Culprits> {
        let culprits = Culprits::quiet()?;
        let shared = culprits.shared.clone();
        std::thread::Builder::new().name("culprits".to_owned()).stack_size(STACK).spawn(move || shared.listen())?;
        Ok(culprits)
    }

    /// The same without a thread.
    fn quiet() -> io::Result<Culprits> {
        let (queue, end) = (Fanotify::open()?, eventfd(0, EventfdFlags::CLOEXEC)?);
        Ok(Culprits { shared: Arc::new(Shared { queue, end, found: Mutex::default() }) })
    }

    pub(super) fn set_owners(&self, owners: Arc<Owners>) {
        self.shared.found().owners = owners;
    }

    /// What happens in this folder is told from now on.
    pub(super) fn mark(&self, folder: &Path) {
        let marked = self.shared.queue.mark(folder).and_then(|()| PlaceId::at(folder));
        match marked {
            Ok(place) => drop(self.shared.found().places.insert(place, folder.to_owned())),
            Err(error) => {
                tracing::debug!(folder = %folder.display(), %error, "who changes what is there stays unknown")
            }
        }
    }

    /// It is told no longer. Something else may be at this path by now.
    pub(super) fn unmark(&self, folder: &Path) {
        let mut found = self.shared.found();
        let is_there = PlaceId::at(folder).is_ok_and(|place| found.places.contains_key(&place));
        found.places.retain(|_, path| path != folder);
        if !(is_there && self.shared.queue.unmark(folder).is_ok()) {
            found.stale += 1;
        }
        if found.stale > MAX_STALE && self.shared.queue.unmark_all().is_ok() {
            found.stale = 0;
            let folders: Vec<PathBuf> = std::mem::take(&mut found.places).into_values().collect();
            drop(found);
            folders.iter().for_each(|folder| self.mark(folder));
        }
    }

    /// Who touched these, or anything, since the last time that this was asked; from now on the agent itself is at
    /// work, until [`Culprits::rest`]. Whom the map does not name is not known.
    pub fn take(&self, looked_at: Option<&BTreeSet<Address>>) -> BTreeMap<Address, Culprit> {
        let mut found = self.shared.found();
        self.shared.drain(&mut found);
        found.at_work = true;
        let Found { owners, traces, .. } = &mut *found;
        let mut last: BTreeMap<Address, Trace> = BTreeMap::new();
        for (path, trace) in traces.take(|path| {
            looked_at.is_none_or(|looked_at| owners.at(path).iter().any(|address| looked_at.contains(address)))
        }) {
            for address in owners.at(&path) {
                last.entry(address).and_modify(|other| other.join(&trace)).or_insert_with(|| trace.clone());
            }
        }
        drop(found);
        let culprits = last.into_iter().filter_map(|(address, trace)| Some((address, trace.into_culprit(user_name)?)));
        culprits.collect()
    }

    /// The agent has done its work.
    pub fn rest(&self) {
        let mut found = self.shared.found();
        self.shared.drain(&mut found);
        found.at_work = false;
    }
}

impl Drop for Culprits {
    fn drop(&mut self) {
        // The thread ends by this. If it cannot be told, it sleeps until the agent ends.
        let _ = rustix::io::write(&self.shared.end, &1_u64.to_ne_bytes());
    }
}

impl Shared {
    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(&self) {
        loop {
            let mut ready = [PollFd::new(&self.queue, PollFlags::IN), PollFd::new(&self.end, PollFlags::IN)];
            match poll(&mut ready, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => {
                    tracing::warn!(%error, "who changes files is not told any more");
                    return;
                }
            }
            let [_, end] = &ready;
            if !end.revents().is_empty() {
                return;
            }
            self.drain(&mut self.found());
        }
    }

    /// Reads all that is there. Who looks at a resource does that, too, so that nothing is still in the queue then.
    fn drain(&self, found: &mut Found) {
        let mut buffer = [0; BUFFER];
        loop {
            match self.queue.read(&mut buffer) {
                Ok(events) if events.is_empty() => return,
                Ok(events) => events.into_iter().for_each(|event| found.note(event)),
                Err(error) => {
                    tracing::debug!(%error, "who changed files is not told");
                    found.traces.forget();
                    return;
                }
            }
        }
    }
}

impl Found {
    fn note(&mut self, event: FolderEvent) {
        if event.lost {
            // What was seen last before need not be the last that happened.
            self.traces.forget();
            return;
        }
        let Some(path) = self.path_of(&event) else { return };
        let concerns = !self.owners.at(&path).is_empty();
        let Some(pid) = event.pid else {
            // Somebody did it whom the kernel does not show us.
            if concerns {
                self.traces.note(path, None, None);
            }
            return;
        };
        if pid == std::process::id() {
            return;
        }
        // Who makes a file beside is about to put it in place, and has often ended by then.
        if !concerns && !event.created {
            return;
        }
        let now = Instant::now();
        let process = self.seen.look(pid, event.process.as_ref(), concerns, now);
        if !concerns || process.as_ref().is_some_and(|process| process.is_ours) {
            return;
        }
        // Something that we started and that has ended is not to be blamed.
        let pid = (process.is_some() || !self.at_work).then_some(pid);
        self.traces.note(path, pid, process);
    }

    fn path_of(&self, event: &FolderEvent) -> Option<PathBuf> {
        let folder = self.places.get(event.place.as_ref()?)?;
        let name = std::ffi::OsStr::from_bytes(&event.name);
        Some(if name == "." || name.is_empty() { folder.clone() } else { folder.join(name) })
    }
}
