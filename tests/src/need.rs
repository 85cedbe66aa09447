//! What a test needs of the machine, and saying so aloud where it is missing.

use std::path::Path;

/// One thing that a test cannot do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Effective user 0: namespaces, mounts, real hosts.
    Root,
    /// A program that `tests/install.sh` installs, by its path.
    Program(&'static str),
}

/// The broker's start script; RabbitMQ runs without root, as a node of the test's own.
pub const BROKER: &[Need] = &[Need::Program(crate::broker::SERVER), Need::Program("/usr/bin/epmd")];

/// Real hosts.
pub const LAB: &[Need] = &[
    Need::Root,
    Need::Program("/usr/sbin/debootstrap"),
    Need::Program("/usr/bin/systemd-nspawn"),
    Need::Program("/usr/bin/apt-ftparchive"),
    Need::Program("/usr/bin/dpkg-deb"),
    Need::Program("/usr/bin/ip"),
];

/// Whether this machine has all of `needs`. Prints `SKIPPED: …` where it has not; the test then returns.
///
/// # Panics
/// With `CI` set and running as root a missing program is a failure, not a reason to skip: there
/// `tests/install.sh` has run, and a suite that skips what it was set up for would pass without testing.
#[must_use]
pub fn has(needs: &[Need]) -> bool {
    let root = rustix::process::geteuid().is_root();
    for need in needs {
        match need {
            Need::Root if !root => return skip("not root"),
            Need::Program(path) if !Path::new(path).exists() => {
                assert!(!(root && std::env::var_os("CI").is_some()), "{path} is missing: run tests/install.sh");
                return skip(&format!("{path} is missing (tests/install.sh installs it)"));
            }
            _ => {}
        }
    }
    true
}

/// Says that the running test is skipped, and why. Always false, so that it can end a check.
pub fn skip(reason: &str) -> bool {
    let test = std::thread::current().name().unwrap_or("test").to_owned();
    println!("SKIPPED: {test}: {reason}");
    false
}
