//! What happens in folders, and which process does it: fanotify(7).
//!
//! inotify tells what happened and not who did it; fanotify tells both, to root of a kernel from 5.15 on. Folders are
//! known by their file handles: no event costs a descriptor of the thing that it is about.
#![allow(unsafe_code, reason = "rustix has no fanotify and no file handles")]

mod event;
mod place;

pub use event::FolderEvent;
pub use place::PlaceId;

use rustix::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What may be drift: contents, attributes, and names that come and go. That somebody closes a file that was open for
/// writing is not among them: it may not have been written to.
const EVENTS: u64 = libc::FAN_MODIFY
    | libc::FAN_ATTRIB
    | libc::FAN_CREATE
    | libc::FAN_DELETE
    | libc::FAN_MOVED_FROM
    | libc::FAN_MOVED_TO
    | libc::FAN_ONDIR
    | libc::FAN_EVENT_ON_CHILD;

/// A queue of events.
#[derive(Debug)]
pub struct Fanotify {
    queue: OwnedFd,
}

impl Fanotify {
    /// A queue that is told of nothing yet.
    ///
    /// # Errors
    /// Where the kernel is too old, or the caller may not ask who does what.
    pub fn open() -> io::Result<Fanotify> {
        let flags = libc::FAN_CLOEXEC
            | libc::FAN_NONBLOCK
            | libc::FAN_CLASS_NOTIF
            | libc::FAN_REPORT_DFID_NAME
            | libc::FAN_REPORT_PIDFD;
        // SAFETY: it takes two numbers.
        let queue = unsafe { libc::fanotify_init(flags, 0) };
        if queue < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel has just made this descriptor for us, and nobody else knows it.
        Ok(Fanotify { queue: unsafe { OwnedFd::from_raw_fd(queue) } })
    }

    /// From now on it is told what happens in the folder.
    ///
    /// # Errors
    /// Where that is no folder, or its file system cannot tell.
    pub fn mark(&self, folder: &Path) -> io::Result<()> {
        self.change_mark(libc::FAN_MARK_ADD | libc::FAN_MARK_ONLYDIR, EVENTS, folder)
    }

    /// It is told no longer.
    ///
    /// # Errors
    /// When it was not told before.
    pub fn unmark(&self, folder: &Path) -> io::Result<()> {
        self.change_mark(libc::FAN_MARK_REMOVE | libc::FAN_MARK_ONLYDIR, EVENTS, folder)
    }

    /// It is told of nothing any more.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn unmark_all(&self) -> io::Result<()> {
        self.change_mark(libc::FAN_MARK_FLUSH, 0, Path::new("/"))
    }

    fn change_mark(&self, flags: libc::c_uint, events: u64, folder: &Path) -> io::Result<()> {
        let path = CString::new(folder.as_os_str().as_bytes())?;
        // SAFETY: the path is a string that ends in NUL and lives until the call returns.
        let answer =
            unsafe { libc::fanotify_mark(self.queue.as_raw_fd(), flags, events, libc::AT_FDCWD, path.as_ptr()) };
        if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// The next events; none when there are none now.
    ///
    /// # Errors
    /// When the queue cannot be read.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<Vec<FolderEvent>> {
        let length = match rustix::io::read(&self.queue, &mut *buffer) {
            Ok(length) => length,
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => 0,
            Err(error) => return Err(error.into()),
        };
        let events = event::split(buffer.get(..length).unwrap_or_default());
        Ok(events
            .into_iter()
            .map(|event| {
                // SAFETY: the kernel has just made this descriptor for us and told nobody else. The events of a
                // buffer are taken once, so that it has one owner.
                let take = |process| unsafe { OwnedFd::from_raw_fd(process) };
                FolderEvent {
                    lost: event.lost,
                    created: event.created,
                    pid: event.pid,
                    process: event.process.map(take),
                    place: event.place,
                    name: event.name,
                }
            })
            .collect())
    }
}

impl AsFd for Fanotify {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.queue.as_fd()
    }
}
