//! What the worker is told, and what it needs to begin.

use crate::converge::Converger;
use crate::io::status_file::StatusFile;
use muster_schema::breakglass::BreakGlassReport;
use muster_schema::content::BlobRef;
use muster_schema::report::Applied;
use muster_schema::resource::Resource;
use muster_schema::{Address, HostId, Timestamp};
use std::collections::BTreeSet;
use std::time::Duration;

/// What the worker is told.
pub enum Order {
    /// A new manifest is in force.
    Manifest(Box<InForce>),
    /// The same manifest, under another revision or head.
    Relabel(Applied),
    /// The host has left the repository.
    Retire(Applied),
    /// The host has this id from now on.
    Named(HostId),
    /// The head has expired, at this time, or is good again. What is in force stays.
    Hold(Option<Timestamp>),
    /// Something happened on the host.
    Event(notify::Result<notify::Event>),
    /// Something happened to these services.
    Services(BTreeSet<Address>),
    /// The orchestrator was reached after the risky change of this number.
    Contact(u64),
    /// A probe of a check has ended.
    Probed(ProbeAnswer),
    /// Look at everything. What is given is dropped when that is done.
    Sweep(tokio::sync::oneshot::Sender<()>),
    /// End at the next safe point.
    Stop,
}

/// How a probe of a check ended.
pub struct ProbeAnswer {
    /// The check.
    pub address: Address,
    /// The number of the probe.
    pub number: u64,
    /// Why the answer is not as it is to be, if it is not.
    pub answer: Result<(), String>,
}

/// A manifest in force.
pub struct InForce {
    /// Its resources.
    pub resources: Vec<Resource>,
    /// What reports say.
    pub applied: Applied,
    /// The manifest's bytes in the vault.
    pub manifest: BlobRef,
    /// Break-glass keys signed it, and not the orchestrator.
    pub break_glass: Option<BreakGlassReport>,
}

/// What a worker needs.
pub struct WorkerInput {
    /// The host.
    pub converger: Converger,
    /// What is in force from the last run.
    pub applied: Option<Applied>,
    /// The manifest in force, which stays in the vault.
    pub manifest: Option<BlobRef>,
    /// The host has left the repository.
    pub retired: bool,
    /// Break-glass keys signed what is in force.
    pub break_glass: Option<BreakGlassReport>,
    /// Time between full sweeps.
    pub sweep_interval: Duration,
    /// Where counters are told.
    pub status: StatusFile,
}
