//! Break-glass at the host: the challenge that waits for an answer, and what is asked of the cycle.

use crate::store::{Batch, Store, StoreError};
use crate::verify::{Marks, Reject};
use muster_schema::breakglass::{BreakGlassReport, Challenge, ChallengeType, MAX_LIFE};
use muster_schema::manifest::HostIdentity;
use muster_schema::report::Applied;
use muster_schema::{FleetName, Timestamp};
use serde::Serialize;
use std::path::PathBuf;
use tokio::sync::{mpsc, oneshot};

const KEY: &str = "breakglass-challenge";

/// What somebody on the host asks of the cycle.
pub enum BreakGlassOrder {
    /// Give a challenge.
    Challenge(oneshot::Sender<Result<Challenge, BreakGlassError>>),
    /// Take the bundle in this folder.
    Apply(PathBuf, oneshot::Sender<Result<BreakGlassTaken, BreakGlassError>>),
}

/// Where orders go to, and where the cycle finds them. One waits at most.
pub fn break_glass_orders() -> (mpsc::Sender<BreakGlassOrder>, mpsc::Receiver<BreakGlassOrder>) {
    mpsc::channel(1)
}

/// A bundle that was taken.
#[derive(Debug, Serialize)]
pub struct BreakGlassTaken {
    /// What is in force.
    pub applied: Applied,
    /// On whose word.
    pub break_glass: BreakGlassReport,
}

/// Why an order came to nothing. What was in force stays.
#[derive(Debug, thiserror::Error)]
pub enum BreakGlassError {
    /// It does not stand.
    #[error(transparent)]
    Refused(#[from] Reject),
    /// The agent's own disk refused.
    #[error("the agent's own disk")]
    Disk(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The system gives no random numbers.
    #[error("no random numbers")]
    Random(getrandom::Error),
}

/// Gives another challenge, durably, in the place of one that waited.
///
/// # Errors
/// When it cannot be kept.
pub fn give_challenge(
    store: &Store,
    fleet: &FleetName,
    host: HostIdentity,
    marks: Option<&Marks>,
    now: Timestamp,
) -> Result<Challenge, BreakGlassError> {
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).map_err(BreakGlassError::Random)?;
    let (epoch, serial) = marks.map_or((0, 0), |marks| (marks.epoch, marks.serial));
    let challenge = Challenge {
        r#type: ChallengeType::Is,
        fleet: fleet.clone(),
        host,
        nonce: hex::encode(nonce),
        expires: now.plus(MAX_LIFE),
        epoch,
        serial,
    };
    let mut batch = Batch::new();
    batch.put(KEY, &challenge)?;
    store.commit(batch)?;
    Ok(challenge)
}

/// The challenge that waits for an answer.
///
/// # Errors
/// When the store cannot be read.
pub fn load_challenge(store: &Store) -> Result<Option<Challenge>, StoreError> {
    store.load(KEY)
}

/// Has the challenge answered by the same commit as what answers it.
pub fn forget_challenge(batch: &mut Batch) {
    batch.remove(KEY);
}

impl From<StoreError> for BreakGlassError {
    fn from(error: StoreError) -> Self {
        BreakGlassError::Disk(Box::new(error))
    }
}
