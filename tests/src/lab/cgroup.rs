//! A control group for each host.
//!
//! systemd kills a unit's processes by its control group. Two hosts that shared one would kill each other's,
//! so each is started in a group of its own, below the one that the tests run in.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::wait::wait_until;

const ROOT: &str = "/sys/fs/cgroup";
const PREFIX: &str = "muster-lab-";
const END: Duration = Duration::from_secs(20);

/// The groups of one host, one in each hierarchy that systemd uses; removed with this value.
#[derive(Debug)]
pub(super) struct Cgroups {
    folders: Vec<PathBuf>,
}

impl Cgroups {
    /// Makes the groups of the host `machine`.
    pub(super) fn make(machine: &str) -> Self {
        let folders = parents().into_iter().map(|parent| parent.join(format!("{PREFIX}{machine}")));
        Self { folders: folders.filter(|folder| fs::create_dir_all(folder).is_ok()).collect() }
    }

    /// Files that a process writes its id to in order to move into these groups.
    pub(super) fn entries(&self) -> Vec<PathBuf> {
        self.folders.iter().map(|folder| folder.join("cgroup.procs")).collect()
    }
}

impl Drop for Cgroups {
    fn drop(&mut self) {
        // A group with a process in it refuses to go, also one that is killed and not quite dead yet: when
        // this returns, the host is.
        for folder in &self.folders {
            let _ = wait_until("the host's control group to empty", END, || {
                remove(folder);
                !folder.exists()
            });
        }
    }
}

/// Removes the groups that killed runs left. One that still has processes in it refuses, and stays.
pub(super) fn sweep() {
    for parent in parents() {
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(PREFIX) {
                remove(&entry.path());
            }
        }
    }
}

/// This process's own groups in the hierarchies of systemd: the unified one, and before it `name=systemd`.
fn parents() -> Vec<PathBuf> {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let hybrid = Path::new(ROOT).join("unified").exists();
    own.lines()
        .filter_map(|line| {
            let mut parts = line.splitn(3, ':');
            let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
            let mount = match controllers {
                "" if hybrid => Path::new(ROOT).join("unified"),
                "" => PathBuf::from(ROOT),
                "name=systemd" => Path::new(ROOT).join("systemd"),
                _ => return None,
            };
            Some(mount.join(path.trim_start_matches('/')))
        })
        .filter(|folder| folder.exists())
        .collect()
}

/// Groups are removed from the leaves up; their files go with them.
fn remove(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove(&entry.path());
        }
    }
    let _ = fs::remove_dir(folder);
}
