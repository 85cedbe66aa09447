//! Folders watched by inotify, with the time at which each event was read.

use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};
use rustix::io::Errno;

/// Room for many events: they are read in one go.
const BUFFER: usize = 16 * 1024;

/// Something happened in a watched folder.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    pub(crate) watch: i32,
    pub(crate) name: String,
}

/// Watches folders for files that come to stand there, or change.
pub(crate) struct FolderWatch {
    fd: OwnedFd,
    read: std::collections::VecDeque<Seen>,
}

impl FolderWatch {
    pub(crate) fn start() -> Result<Self> {
        let fd = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        Ok(Self { fd, read: std::collections::VecDeque::new() })
    }

    /// Watches `folder`; gives the number that its events have.
    pub(crate) fn add(&self, folder: &Path) -> Result<i32> {
        let flags = WatchFlags::MOVED_TO | WatchFlags::CLOSE_WRITE | WatchFlags::ATTRIB;
        inotify::add_watch(&self.fd, folder, flags).with_context(|| format!("watch {}", folder.display()))
    }

    /// Waits until a file `name` was written in the folder `watch`, and `holds` is true; gives the time of the event.
    pub(crate) fn wait_for(
        &mut self,
        watch: i32,
        name: &str,
        limit: Duration,
        mut holds: impl FnMut() -> bool,
    ) -> Result<Instant> {
        let end = Instant::now() + limit;
        loop {
            while let Some(seen) = self.read.pop_front() {
                if seen.watch == watch && seen.name == name && holds() {
                    return Ok(seen.at);
                }
            }
            if !self.read_more(end)? {
                bail!("waited {limit:?} for {name}");
            }
        }
    }

    /// Forgets what happened up to now.
    pub(crate) fn forget(&mut self) -> Result<()> {
        while self.read_more(Instant::now())? {
            self.read.clear();
        }
        Ok(())
    }

    /// Waits for events until `end`; whether there were some.
    fn read_more(&mut self, end: Instant) -> Result<bool> {
        let left = end.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left)?;
        if poll(&mut [PollFd::new(&self.fd, PollFlags::IN)], Some(&left))? == 0 {
            return Ok(false);
        }
        let at = Instant::now();
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut reader = Reader::new(&self.fd, &mut buffer);
        loop {
            match reader.next() {
                Ok(event) => {
                    let name = event.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                    self.read.push_back(Seen { at, watch: event.wd(), name });
                }
                Err(Errno::WOULDBLOCK) => return Ok(true),
                Err(error) => return Err(error.into()),
            }
        }
    }
}
