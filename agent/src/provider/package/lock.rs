//! Whether somebody installs packages.

use rustix::fs::{Mode, OFlags};
use rustix::process::{Flock, FlockType, fcntl_getlk};

/// What apt holds for the whole of a transaction, what dpkg holds where it is called without apt, and the locks of
/// rpm and apk.
const LOCKS: [&str; 5] = [
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/lock",
    "/var/lib/rpm/.rpm.lock",
    "/usr/lib/sysimage/rpm/.rpm.lock",
    "/lib/apk/db/lock",
];

/// Whether another process changes packages right now. Where that cannot be told, nobody does.
pub fn is_installing() -> bool {
    let is_locked = |path: &&str| {
        let Ok(file) = rustix::fs::open(*path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) else { return false };
        matches!(fcntl_getlk(&file, &Flock::from(FlockType::WriteLock)), Ok(Some(_)))
    };
    LOCKS.iter().any(is_locked)
}
