//! What the status branch says of the demo's hosts.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use muster_schema::FleetName;
use ssh_key::PrivateKey;

use super::hosts::PATIENCE;
use super::interrupt;
use crate::io::clock;
use crate::io::git::StatusBranch;
use crate::status::{FleetStatus, load_status};

/// How often the branch is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Reads the status branch of the repository `bare` until it `holds`. Commits that `key` did not sign do not count.
pub(super) fn watch_status(
    bare: &Path,
    key: &PrivateKey,
    fleet: &FleetName,
    holds: impl Fn(&FleetStatus) -> bool,
) -> Result<Instant, anyhow::Error> {
    let started = Instant::now();
    loop {
        let branch = StatusBranch::open(bare, key.clone(), None)?;
        if let Some(tree) = branch.load()?
            && holds(&load_status(fleet, &tree.files, clock::now()).fleet)
        {
            return Ok(Instant::now());
        }
        interrupt::check()?;
        ensure!(started.elapsed() < PATIENCE, "not in the status branch within {} s", PATIENCE.as_secs());
        std::thread::sleep(LOOK);
    }
}
