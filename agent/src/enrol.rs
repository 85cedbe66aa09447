//! Enrolment: the host shows itself until a person has approved it, and proves
//! that both of its keys are its own.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use muster_schema::message::{Announce, Body, Challenge, ChallengeAnswer, Receipt};
use muster_schema::{HostId, ReceiptCode};

use crate::io::host_keys::{HostKeys, HostKeysError};
use crate::io::messenger::{Messenger, MessengerError};

#[cfg(test)]
mod tests;

/// A challenge is 32 bytes; its age file has 200 or so more.
const MAX_CHALLENGE_BYTES: usize = 4096;
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// Where enrolment stands after one announcement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The orchestrator knows this host under this id.
    Enrolled(HostId),
    /// A person is to approve it.
    Pending,
}

/// Why a step of enrolment failed; the next may succeed.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The orchestrator cannot be reached, or refused.
    #[error("the announcement was not taken")]
    Messenger(#[from] MessengerError),
    /// The challenge is malformed.
    #[error("the challenge is malformed")]
    Malformed,
    /// The challenge is not encrypted to this host.
    #[error("the challenge cannot be answered")]
    Answer(#[from] HostKeysError),
}

/// Announces the host until it is enrolled, and gives its id. From then on
/// `messenger` speaks as that id. `tell` hears of each step, for the log.
pub async fn enrol(
    messenger: &Messenger,
    keys: &HostKeys,
    announce: impl Fn() -> Announce,
    mut tell: impl FnMut(Result<&Step, &EnrolError>),
) -> HostId {
    let mut waited = Duration::ZERO;
    loop {
        let step = enrol_once(messenger, keys, announce()).await;
        tell(step.as_ref());
        if let Ok(Step::Enrolled(id)) = step {
            messenger.set_id(id.clone());
            return id;
        }
        let wait = next_wait(waited);
        waited += wait;
        tokio::time::sleep(wait).await;
    }
}

/// One announcement, and the answer to the challenge that it may bring.
///
/// # Errors
/// When the orchestrator cannot be reached, refuses, or asks for what this host cannot prove.
pub async fn enrol_once(messenger: &Messenger, keys: &HostKeys, announce: Announce) -> Result<Step, EnrolError> {
    match messenger.ask(Body::Announce(Box::new(announce))).await? {
        Body::Challenge(challenge) => {
            let answer = answer_challenge(keys, &challenge)?;
            read_step(messenger.ask(Body::ChallengeAnswer(answer)).await?)
        }
        other => read_step(other),
    }
}

/// Decrypts the challenge. The signed answer binds the age recipient to the signing key.
fn answer_challenge(keys: &HostKeys, challenge: &Challenge) -> Result<ChallengeAnswer, EnrolError> {
    if challenge.ciphertext.len() > MAX_CHALLENGE_BYTES {
        return Err(EnrolError::Malformed);
    }
    let ciphertext = STANDARD.decode(&challenge.ciphertext).map_err(|_| EnrolError::Malformed)?;
    let answer = keys.decrypt(&ciphertext)?;
    Ok(ChallengeAnswer {
        answer: hex::encode(answer.as_slice()),
        recipient: keys.recipient(),
        broker_hash: Some(keys.broker_hash()),
    })
}

fn read_step(body: Body) -> Result<Step, EnrolError> {
    match body {
        Body::Enrolled(enrolled) => Ok(Step::Enrolled(enrolled.id)),
        Body::Receipt(Receipt { code, .. }) if ReceiptCode::load(&code) == Some(ReceiptCode::Pending) => {
            Ok(Step::Pending)
        }
        _ => Err(EnrolError::Messenger(MessengerError::Unexpected)),
    }
}

/// Soon at first, for someone who watches; then seldom.
pub(crate) fn next_wait(waited: Duration) -> Duration {
    (waited / 10).clamp(SHORTEST_WAIT, LONGEST_WAIT)
}
