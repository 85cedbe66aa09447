//! Making a plan true: stage by stage, with originals kept, intents written down before and outcomes after.
//!
//! Killed at any point, the next start finds the intents, looks which changes were made, and finishes
//! ([`recover`]). What was not made is planned anew.

mod confirm;
mod intent;
mod outcome;
mod owed;
mod prepare;
mod reboot;
mod recover;
mod revert;
mod risk;
mod stage;

pub use intent::Intent;
pub use outcome::Outcome;
pub use owed::Owed;
pub(crate) use prepare::remember;
pub use reboot::settle_reboot;
pub use recover::recover;
pub use revert::{begin_wait, confirm_armed, revert_armed};
pub(crate) use risk::hold_reverted;
pub use risk::{Armed, CONFIRM_WITHIN, Risk};

use crate::host::HostWrite;
use crate::known::Known;
use crate::ledger::{Ledger, LedgerError};
use crate::plan::{Plan, Schedule};
use crate::store::{Store, StoreError};
use crate::vault::{Vault, VaultError};
use muster_schema::Timestamp;
use muster_schema::state::{Cause, ResourceState};
use std::sync::Arc;

/// The agent's own disk refused. Nothing more is changed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The store did.
    #[error("writing down what is done")]
    Store(#[from] StoreError),
    /// The ledger did.
    #[error("writing down what is owned")]
    Ledger(#[from] LedgerError),
    /// The vault did.
    #[error("keeping originals")]
    Vault(#[from] VaultError),
}

/// The host, and what the agent knows about it.
pub struct ManagedHost {
    /// The host.
    pub host: Box<dyn HostWrite>,
    /// Marks, states, intents and what is to be reported.
    pub store: Arc<Store>,
    /// What is owned.
    pub ledger: Ledger,
    /// What was found.
    pub originals: Vault,
    /// Blobs of the manifest.
    pub blobs: Arc<Vault>,
    /// The last known state of every resource.
    pub known: Known,
    /// Reactions that are owed.
    pub owed: Owed,
    /// What waits for the orchestrator.
    pub risk: Risk,
}

/// One run over a schedule.
pub struct Run<'a> {
    /// What is wanted, in order.
    pub schedule: &'a Schedule,
    /// What was found of it.
    pub plan: Plan,
    /// Why.
    pub cause: Cause,
    /// Whether to stop at the next safe point: a newer revision is there, or the agent is to end.
    pub stop: &'a dyn Fn() -> bool,
    /// Reads the clock.
    pub now: fn() -> Timestamp,
}

/// What a run did.
#[derive(Debug, Default)]
pub struct Applied {
    /// How it went, in the order in which it was done.
    pub outcomes: Vec<Outcome>,
    /// Something was changed that may have changed other things: a package, a service, a command.
    pub look_again: bool,
    /// It was stopped before the end.
    pub stopped: bool,
}

/// Makes the plan true.
///
/// # Errors
/// When the agent's own disk refuses. What failed on the host is in the outcomes.
pub fn apply_plan(managed: &mut ManagedHost, run: &Run<'_>) -> Result<Applied, ApplyError> {
    let mut applied = Applied::default();
    let mut results: Vec<Option<ResourceState>> = vec![None; run.schedule.targets.len()];
    note_verdicts(managed, run, &mut results, &mut applied)?;
    let judged = run.schedule.targets.iter().zip(&run.plan);
    let work = judged.into_iter().any(|(target, verdict)| stage::is_work(target, verdict)) || !managed.owed.is_empty();
    if work {
        for stage in &run.schedule.order.stages {
            if (run.stop)() {
                applied.stopped = true;
                break;
            }
            stage::apply_stage(managed, run, stage, &mut results, &mut applied)?;
        }
    }
    prepare::adopt(managed, run, &results)?;
    Ok(applied)
}

/// Writes down what needs no change: the verdicts that are final.
fn note_verdicts(
    managed: &mut ManagedHost,
    run: &Run<'_>,
    results: &mut [Option<ResourceState>],
    applied: &mut Applied,
) -> Result<(), ApplyError> {
    let mut outcomes = Vec::new();
    for (at, ((target, verdict), result)) in run.schedule.targets.iter().zip(&run.plan).zip(results).enumerate() {
        if stage::waits_for_work(run, at) {
            continue;
        }
        let Some(outcome) = verdict.as_ref().and_then(|verdict| outcome::of_verdict(target, verdict, run.cause)) else {
            continue;
        };
        *result = outcome.state;
        outcomes.push(outcome);
    }
    managed.known.note(&managed.store, &outcomes, (run.now)(), crate::store::Batch::new())?;
    applied.outcomes.extend(outcomes);
    Ok(())
}
