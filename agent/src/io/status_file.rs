//! A small file that tells a person on the host, and benchmarks, how the agent fares.
#![allow(clippy::disallowed_methods, reason = "writes the status file")]

use crate::io::clock;
use muster_schema::report::{Applied, Report};
use muster_schema::state::{Health, ResourceState};
use muster_schema::{Address, HostId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// At most so often; what changes in between is told with the next write.
const SHORTEST: Duration = Duration::from_secs(1);

/// Sweeps that were done, and what they cost.
#[derive(Debug, Clone, Copy, Default)]
pub struct SweepCount {
    /// Full sweeps since the start.
    pub sweeps: u64,
    /// Processor time that they took.
    pub cpu: Duration,
}

/// What the file says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Status {
    /// The agent's process.
    pub pid: u32,
    /// The version of its program.
    pub version: String,
    /// The host's id; none before enrolment.
    pub id: Option<HostId>,
    /// The name that the host would like.
    pub name: HostId,
    /// The fingerprint of the host's key: what a person compares before approving it.
    pub key: String,
    /// What is applied.
    pub applied: Option<Applied>,
    /// How the host fares.
    pub health: Health,
    /// Why, in one word.
    pub reason: String,
    /// Why, for people.
    pub message: String,
    /// How many resources are in each state.
    pub counts: BTreeMap<ResourceState, u32>,
    /// The host has left the repository.
    pub retired: bool,
    /// Changes that were taken back and are not tried again under what is applied, with the reason.
    #[serde(default)]
    pub held: BTreeMap<Address, String>,
    /// Full sweeps since the start.
    pub sweeps: u64,
    /// Microseconds of processor time that they took.
    pub sweep_cpu_us: u64,
    /// When this was written, in milliseconds since 1970.
    pub written: u64,
}

/// Who the host is.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Its id, once it is enrolled.
    pub id: Option<HostId>,
    /// The name that it would like.
    pub name: HostId,
    /// The fingerprint of its key.
    pub key: String,
}

/// The writer of the file.
pub struct StatusFile {
    path: PathBuf,
    identity: Identity,
    last: Option<Instant>,
    waiting: Option<Status>,
}

impl StatusFile {
    /// Writes to `status.json` in `folder`.
    pub fn new(folder: &Path, identity: Identity) -> StatusFile {
        StatusFile { path: path_in(folder), identity, last: None, waiting: None }
    }

    /// The host has this id from now on.
    pub fn set_id(&mut self, id: HostId) {
        self.identity.id = Some(id);
    }

    /// Takes what is to be said, and writes it now or as soon as it is due.
    pub fn tell(&mut self, report: &Report, held: &BTreeMap<Address, String>, counts: &SweepCount) {
        let status = Status {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            id: self.identity.id.clone(),
            name: self.identity.name.clone(),
            key: self.identity.key.clone(),
            applied: report.applied.clone(),
            health: report.health,
            reason: report.reason.clone(),
            message: report.message.clone(),
            counts: report.counts.clone(),
            retired: report.retired,
            held: held.clone(),
            sweeps: counts.sweeps,
            sweep_cpu_us: u64::try_from(counts.cpu.as_micros()).unwrap_or(u64::MAX),
            written: clock::now().0,
        };
        self.waiting = Some(status);
        self.write_due();
    }

    /// When something waits to be written.
    pub fn due(&self) -> Option<Instant> {
        self.waiting.as_ref()?;
        self.last.map(|last| last + SHORTEST)
    }

    /// Writes what waits, if it is time. A file that cannot be written is only a missing convenience.
    pub fn write_due(&mut self) {
        if self.last.is_some_and(|last| last.elapsed() < SHORTEST) {
            return;
        }
        let Some(status) = self.waiting.take() else { return };
        self.last = Some(Instant::now());
        let fresh = self.path.with_extension("json.new");
        let written = serde_json::to_vec_pretty(&status)
            .map_err(std::io::Error::from)
            .and_then(|bytes| std::fs::write(&fresh, bytes))
            .and_then(|()| std::fs::rename(&fresh, &self.path));
        if let Err(error) = written {
            tracing::debug!(path = %self.path.display(), %error, "no status file");
        }
    }
}

/// Reads the file in `folder`.
///
/// # Errors
/// When there is none, or it is none of ours.
pub fn load_status(folder: &Path) -> std::io::Result<Status> {
    Ok(serde_json::from_slice(&std::fs::read(path_in(folder))?)?)
}

fn path_in(folder: &Path) -> PathBuf {
    folder.join("status.json")
}
