//! Who sent a frame, and whether it is meant for us, now.

use std::time::Duration;

use muster_schema::envelope::{Signature, split_frame};
use muster_schema::manifest::HostIdentity;
use muster_schema::message::{Body, MAX_MESSAGE_BYTES, Message, Party};
use muster_schema::{FleetName, PublicKey, ReceiptCode, Timestamp};

use super::{ApprovedHosts, Refusal};
use crate::enrolment::MAX_ANNOUNCE_BYTES;

/// How far the sender's clock may be ahead of ours.
pub const MAX_AHEAD: Duration = Duration::from_secs(5 * 60);

/// The longest that a message may wait; a report waits in the broker.
const MAX_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A message that its sender signed, for this fleet's orchestrator, that is
/// neither too old nor of the future. An unknown sender's holds an announcement;
/// any other's key is approved for the id it speaks as, or it enrols.
#[derive(Debug, Clone)]
pub struct VerifiedMessage {
    host: HostIdentity,
    message: Message,
    signature: Signature,
    payload: Vec<u8>,
}

/// Verifies a frame at `now`. `may_announce` is asked before any work is done
/// for a key that nobody approved.
///
/// # Errors
/// With the refusal to send back.
pub fn verify_frame(
    frame: &[u8],
    fleet: &FleetName,
    approved: &ApprovedHosts,
    now: Timestamp,
    may_announce: impl FnOnce() -> bool,
) -> Result<VerifiedMessage, Refusal> {
    let malformed = |error: &dyn std::fmt::Display| Refusal::unaddressed(ReceiptCode::Malformed, error.to_string());
    let (signature, payload) = split_frame(frame).map_err(|error| malformed(&error))?;
    if payload.len() > MAX_MESSAGE_BYTES {
        return Err(Refusal::unaddressed(ReceiptCode::TooLarge, format!("more than {MAX_MESSAGE_BYTES} bytes")));
    }
    let signer = verify_known(&signature, payload, approved)?;
    if signer.is_none() {
        if !may_announce() {
            return Err(Refusal::unaddressed(ReceiptCode::RateLimited, "too many messages of unknown keys"));
        }
        if payload.len() > MAX_ANNOUNCE_BYTES {
            let message = format!("more than {MAX_ANNOUNCE_BYTES} bytes by an unknown key");
            return Err(Refusal::unaddressed(ReceiptCode::TooLarge, message));
        }
    }
    let message = Message::load(payload).map_err(|error| malformed(&error))?;
    let Party::Host(host) = message.from.clone() else {
        return Err(Refusal::unaddressed(ReceiptCode::WrongType, "messages come from hosts"));
    };
    if signer != Some(host.key) {
        let verified = signature.verify(payload, &host.key);
        verified.map_err(|error| Refusal::unaddressed(ReceiptCode::BadSignature, error.to_string()))?;
    }
    check_message(&message, &host, fleet, approved, now)?;
    Ok(VerifiedMessage { host, message, signature, payload: payload.to_vec() })
}

/// The approved key that signed; none when the signature names no approved key.
/// Nothing that names one is parsed before its signature stands.
fn verify_known(signature: &Signature, payload: &[u8], approved: &ApprovedHosts) -> Result<Option<PublicKey>, Refusal> {
    let mut last = None;
    for host in approved.candidates(signature.key()) {
        match signature.verify(payload, &host.key) {
            Ok(()) => return Ok(Some(host.key)),
            Err(error) => last = Some(error.to_string()),
        }
    }
    last.map_or(Ok(None), |error| Err(Refusal::unaddressed(ReceiptCode::BadSignature, error)))
}

fn check_message(
    message: &Message,
    host: &HostIdentity,
    fleet: &FleetName,
    approved: &ApprovedHosts,
    now: Timestamp,
) -> Result<(), Refusal> {
    if message.id.len() != 32 || !message.id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(Refusal::unaddressed(ReceiptCode::Malformed, "the id is not 32 hexadecimal digits"));
    }
    let refuse = |code, text: &str| Err(Refusal::of(host, &message.id, code, text));
    if message.fleet != *fleet {
        return refuse(ReceiptCode::WrongFleet, &format!("this is the orchestrator of fleet {fleet}"));
    }
    if message.to != Party::Orchestrator {
        return refuse(ReceiptCode::WrongRecipient, "it is addressed to a host");
    }
    let enrols = matches!(message.body, Body::Announce(_) | Body::ChallengeAnswer(_));
    if approved.is_revoked(&host.key) {
        return refuse(ReceiptCode::KeyRevoked, "this key was taken out of its host's file");
    }
    let known = approved.of_key(&host.key).next().is_some();
    if !known && !matches!(message.body, Body::Announce(_)) {
        return refuse(ReceiptCode::UnknownKey, "this key is not approved; announce it");
    }
    if !enrols && !approved.allows(&host.key, &host.id) {
        return refuse(ReceiptCode::WrongHost, "this key is approved under another id");
    }
    if message.issued > now.plus(MAX_AHEAD) {
        return refuse(ReceiptCode::FromFuture, "it was signed later than now; is the host's clock right?");
    }
    if message.expires <= now || now.since(message.issued) > MAX_LIFE {
        return refuse(ReceiptCode::Expired, "its time is over; is the host's clock right?");
    }
    Ok(())
}

impl VerifiedMessage {
    /// Who signed it. The id is approved for the key, except in enrolment.
    pub fn host(&self) -> &HostIdentity {
        &self.host
    }

    /// The sender's key.
    pub fn key(&self) -> &PublicKey {
        &self.host.key
    }

    /// What it says.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// The sender's signature.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The exact bytes that were signed.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// A refusal of it.
    pub fn refuse(&self, code: ReceiptCode, message: impl Into<String>) -> Refusal {
        Refusal::of(&self.host, &self.message.id, code, message)
    }
}
