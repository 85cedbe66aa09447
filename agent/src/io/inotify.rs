//! Which events inotify tells of.
//!
//! notify asks to be told of opened files too, and has no setting for that before its version 9. An agent that looks
//! at a thousand files would wake itself for each of them, which is a third of what a sweep costs. The kernel takes
//! another mask for what is watched already; see inotify_add_watch(2).
#![allow(clippy::disallowed_methods, reason = "reads /proc/self")]
#![allow(unsafe_code, reason = "no safe function makes a descriptor of a number")]

use rustix::fs::inotify::{WatchFlags, add_watch};
use std::collections::BTreeSet;
use std::fs;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};
use std::path::Path;

#[cfg(test)]
mod tests;

const INOTIFY: &str = "anon_inode:inotify";

/// The instance of inotify of a watcher.
#[derive(Debug)]
pub struct WatchMask {
    instance: OwnedFd,
}

impl WatchMask {
    /// Makes a watcher, and finds its instance. `None`: it is not found, and the watcher tells of more than is needed.
    ///
    /// # Errors
    /// When the watcher cannot be made.
    pub fn of_new<W, E>(make: impl FnOnce() -> Result<W, E>) -> Result<(W, Option<WatchMask>), E> {
        let before = instances();
        let watcher = make()?;
        let made: Vec<RawFd> = instances().difference(&before).copied().collect();
        // Another thread may have made one as well.
        let [number] = made[..] else { return Ok((watcher, None)) };
        // SAFETY: the watcher is alive until after this call, and with it its descriptor; what stays is a copy.
        let instance = unsafe { BorrowedFd::borrow_raw(number) }.try_clone_to_owned();
        Ok((watcher, instance.ok().map(|instance| WatchMask { instance })))
    }

    /// Lets the kernel tell of changes at a watched place only, and not of its being read.
    pub fn leave_out_reading(&self, place: &Path) {
        let changes = WatchFlags::ATTRIB
            | WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::MODIFY
            | WatchFlags::MOVE
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF;
        if let Err(error) = add_watch(&self.instance, place, changes) {
            tracing::debug!(place = %place.display(), %error, "is told of as well when it is read");
        }
    }
}

/// The descriptors of this process that are instances of inotify.
fn instances() -> BTreeSet<RawFd> {
    let entries = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let is_inotify = |entry: &fs::DirEntry| fs::read_link(entry.path()).is_ok_and(|to| to == Path::new(INOTIFY));
    entries.filter(is_inotify).filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}
