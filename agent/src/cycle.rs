//! The agent's cycle: trust the root, enrol, then follow the head for ever. Every step is one function.

mod breakglass;
mod confirm;
mod follow;
mod live;
mod rekey;
mod report;
mod root;
#[cfg(test)]
mod tests;
mod verbatim;

pub use follow::{FollowError, Followed};

use crate::accepted::{commit_id, load_id};
use crate::breakglass::BreakGlassOrder;
use crate::converge::ConvergeError;
use crate::enrol::{Step, enrol};
use crate::io::clock;
use crate::io::facts::load_facts;
use crate::io::host_keys::{HostKeys, HostKeysError};
use crate::io::messenger::{Messenger, MessengerError};
use crate::io::transport::{Transport, TransportError};
use crate::outbox::commit_rejection;
use crate::rest::Rest;
use crate::secrets::Secrets;
use crate::store::{Store, StoreError};
use crate::token::Token;
use crate::vault::Vault;
use crate::verify::Reject;
use crate::worker::{Order, Shared};
use follow::Follower;
use muster_schema::facts::Facts;
use muster_schema::message::{Announce, Body, FactsBody, TokenClaim};
use muster_schema::root::VerifiedRoot;
use muster_schema::{HostId, SCHEMA_VERSION, Sha256Digest};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

/// The pause after the first failure, and the least after any: hints are not signed.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A look without a hint, so that polling suffices.
const POLL: Duration = Duration::from_secs(60);
/// Facts are looked at so often.
const FACTS: Duration = Duration::from_secs(300);
const PRESENCE: Duration = Duration::from_secs(60);

/// What the cycle works with.
pub struct Cycle {
    /// The way to the orchestrator.
    pub transport: Arc<dyn Transport>,
    /// The host's keys.
    pub keys: Arc<HostKeys>,
    /// The folder that they are in.
    pub key_folder: PathBuf,
    /// Marks and what is to be told.
    pub store: Arc<Store>,
    /// Blobs and manifests.
    pub blobs: Arc<Vault>,
    /// What reads the secrets of this host.
    pub secrets: Arc<Secrets>,
    /// The fingerprint that was pinned at set-up.
    pub fingerprint: Sha256Digest,
    /// The name that the host would like.
    pub name: HostId,
    /// What makes it a host without a person, if it has that.
    pub token: Option<Token>,
    /// The worker has begun with what the store holds.
    pub in_force: bool,
    /// What the host says of itself.
    pub facts: Facts,
    /// What somebody on the host asks of the cycle itself.
    pub break_glass: tokio::sync::Mutex<mpsc::Receiver<BreakGlassOrder>>,
    /// What live requests are answered from.
    pub rest: Arc<Rest>,
    /// The worker.
    pub orders: Sender<Order>,
    /// What is shared with the worker.
    pub shared: Arc<Shared>,
}

impl Cycle {
    /// Writes a refusal down, and has it reported.
    fn note_refusal(&self, reject: &Reject) -> Result<(), StoreError> {
        commit_rejection(&self.store, reject, clock::now())?;
        self.shared.report_due.notify_one();
        Ok(())
    }
}

/// Why the cycle ended or a step failed.
#[derive(Debug, thiserror::Error)]
pub enum CycleError {
    /// The agent's own disk refused.
    #[error("the agent's store")]
    Store(#[from] StoreError),
    /// The transport failed.
    #[error("no contact")]
    Transport(#[from] TransportError),
    /// The orchestrator refused.
    #[error("the orchestrator")]
    Messenger(#[from] MessengerError),
    /// The host's keys cannot be exchanged.
    #[error("the host's keys")]
    Keys(#[from] HostKeysError),
    /// The worker ended.
    #[error("the worker ended")]
    Worker(#[from] ConvergeError),
}

/// Runs until the future is dropped, or the agent's own disk fails. Returns when the host has other keys: everything is
/// to begin anew with them.
///
/// # Errors
/// When the agent's own disk refuses.
pub async fn run_cycle(cycle: Cycle) -> Result<(), CycleError> {
    let root = root::trust_root(&cycle).await?;
    let messenger = Arc::new(begin_messenger(&cycle, &root)?);
    tokio::select! {
        enrolled = enrol_host(&cycle, &messenger) => enrolled?,
        ended = root::climb_for_ever(&cycle, &messenger, &root) => return ended,
    }
    let mut follower = Follower::begin(&cycle, root, messenger.clone())?;
    let mut asked = cycle.break_glass.lock().await;
    let hinted = Notify::new();
    tokio::select! {
        ended = follow_for_ever(&mut follower, &hinted, &mut asked) => ended,
        ended = live::listen_for_ever(&cycle, &messenger, &hinted) => ended,
        ended = report::report_for_ever(&cycle, &messenger) => ended,
        never = tell_facts_for_ever(&messenger, &cycle.facts) => never,
        never = tell_presence_for_ever(&messenger) => never,
        ended = enrol_again_for_ever(&cycle, &messenger) => ended,
        ended = confirm::confirm_for_ever(&cycle, &messenger) => ended,
        ended = rekey::exchange_keys(&cycle, &messenger) => ended,
    }
}

fn begin_messenger(cycle: &Cycle, root: &VerifiedRoot) -> Result<Messenger, CycleError> {
    let id = load_id(&cycle.store)?.unwrap_or_else(|| cycle.name.clone());
    let root = root.root();
    let fresh = root.roles.fresh.keys.clone();
    Ok(Messenger::new(cycle.transport.clone(), cycle.keys.clone(), root.fleet.clone(), id, fresh))
}

/// Announces the host until a person has approved it. A host that was enrolled before goes on at once.
async fn enrol_host(cycle: &Cycle, messenger: &Messenger) -> Result<(), CycleError> {
    if load_id(&cycle.store)?.is_some() {
        return Ok(());
    }
    prove_host(cycle, messenger).await
}

/// Proves the host anew whenever the orchestrator says that it has no proof: its disk was lost, or the key in the
/// host's file is a new one.
async fn enrol_again_for_ever(cycle: &Cycle, messenger: &Messenger) -> Result<(), CycleError> {
    loop {
        messenger.lost_enrolment().await;
        prove_host(cycle, messenger).await?;
    }
}

async fn prove_host(cycle: &Cycle, messenger: &Messenger) -> Result<(), CycleError> {
    let fingerprint = cycle.keys.public_key().fingerprint();
    let mut told = None;
    let tell = |step: Result<&Step, &crate::enrol::EnrolError>| match step {
        Ok(step) if told.as_ref() == Some(step) => {}
        Ok(step) => {
            tracing::info!(?step, %fingerprint, "enrolment");
            told = Some(step.clone());
        }
        Err(error) => tracing::warn!(error = error as &dyn std::error::Error, "enrolment"),
    };
    let token = claim_by_token(cycle, messenger);
    let id = enrol(messenger, &cycle.keys, || Announce { token: token.clone(), ..announce(cycle) }, tell).await;
    commit_id(&cycle.store, &id)?;
    // A worker that ended ends the whole agent; see `cli::run`.
    let _ = cycle.orders.send(Order::Named(id));
    Ok(())
}

/// What the host's enrolment token says of it, where it has one that is of use.
fn claim_by_token(cycle: &Cycle, messenger: &Messenger) -> Option<TokenClaim> {
    let token = cycle.token.as_ref()?;
    match token.claim(&messenger.fleet(), &cycle.keys.public_key(), &cycle.keys.recipient()) {
        Ok(claim) => Some(claim),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "enrolling without the token");
            None
        }
    }
}

fn announce(cycle: &Cycle) -> Announce {
    Announce {
        name: cycle.name.clone(),
        recipient: cycle.keys.recipient(),
        agent: env!("CARGO_PKG_VERSION").to_owned(),
        schema: SCHEMA_VERSION,
        facts: cycle.facts.clone(),
        replaces: None,
        token: None,
    }
}

/// Follows the head at every hint, and without hints from time to time.
/// Orders of somebody on the host come first: they are there because this may come to nothing.
async fn follow_for_ever(
    follower: &mut Follower<'_>,
    hinted: &Notify,
    asked: &mut mpsc::Receiver<BreakGlassOrder>,
) -> Result<(), CycleError> {
    let mut pause = Duration::ZERO;
    loop {
        let looked = Instant::now();
        let followed = tokio::select! {
            biased;
            Some(order) = asked.recv() => {
                follower.take_order(order).await;
                continue;
            }
            followed = follower.follow() => followed,
        };
        let until = match followed {
            Ok(followed) => {
                tracing::debug!(?followed, "looked");
                pause = Duration::ZERO;
                looked + POLL
            }
            Err(FollowError::Disk(error)) => return Err(error.into()),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "cannot follow the head");
                // The hint for what was not followed came already; nobody sends another.
                pause = next_pause(pause);
                tokio::time::sleep(SHORTEST_PAUSE).await;
                Instant::now() + pause - SHORTEST_PAUSE
            }
        };
        tokio::select! {
            Some(order) = asked.recv() => follower.take_order(order).await,
            () = wait_for_hint(hinted, until) => {}
        }
    }
}

/// Returns at a hint, or when it is time to look without one.
async fn wait_for_hint(hinted: &Notify, until: Instant) {
    let _ = tokio::time::timeout_at(until, hinted.notified()).await;
}

/// Tells the facts at the start and whenever they changed.
async fn tell_facts_for_ever(messenger: &Messenger, first: &Facts) -> Result<(), CycleError> {
    let (mut told, mut pause) = (None, Duration::ZERO);
    loop {
        let facts = load_facts().unwrap_or_else(|_| told.clone().unwrap_or_else(|| first.clone()));
        if told.as_ref() != Some(&facts) {
            let body =
                FactsBody { agent: env!("CARGO_PKG_VERSION").to_owned(), schema: SCHEMA_VERSION, facts: facts.clone() };
            match messenger.ask(Body::Facts(Box::new(body))).await {
                Ok(_) => (told, pause) = (Some(facts), FACTS),
                Err(error) => {
                    pause = next_pause(pause.min(LONGEST_PAUSE));
                    tracing::debug!(error = &error as &dyn std::error::Error, "facts not told");
                }
            }
        }
        tokio::time::sleep(pause).await;
    }
}

async fn tell_presence_for_ever(messenger: &Messenger) -> Result<(), CycleError> {
    loop {
        tokio::time::sleep(PRESENCE).await;
        if let Err(error) = messenger.ask(messenger.presence()).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "presence not told");
        }
    }
}

fn next_pause(pause: Duration) -> Duration {
    (pause * 2).clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
}
