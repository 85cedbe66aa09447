//! Whether somebody installs packages.

use rustix::fs::{Mode, OFlags};
use rustix::process::{Flock, FlockType, fcntl_getlk};

/// What apt holds for the whole of a transaction, and what dpkg holds where it is called without apt.
const LOCKS: [&str; 2] = ["/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock"];

/// Whether another process changes packages right now. Where that cannot be told, nobody does.
pub fn is_installing() -> bool {
    LOCKS.iter().any(|path| {
        let Ok(file) = rustix::fs::open(*path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) else { return false };
        matches!(fcntl_getlk(&file, &Flock::from(FlockType::WriteLock)), Ok(Some(_)))
    })
}
