//! Replies of the orchestrator, verified.

use muster_schema::envelope::{SignatureError, split_frame};
use muster_schema::json::JsonError;
use muster_schema::message::{Body, MAX_MESSAGE_BYTES, Message, Party};
use muster_schema::{KeyId, PublicKey, Timestamp};

use super::Sender;

/// A reply that a key of the role `fresh` signed, to us, about our message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedReply {
    id: String,
    issued: Timestamp,
    body: Body,
}

/// Why a reply is refused.
#[derive(Debug, thiserror::Error)]
pub enum ReplyError {
    /// More bytes than a message has.
    #[error("the reply has {0} bytes, more than {MAX_MESSAGE_BYTES}")]
    TooLarge(usize),
    /// Its signature does not stand.
    #[error("the reply's signature is refused")]
    Signature(#[from] SignatureError),
    /// It was signed by a key that may not speak for the orchestrator.
    #[error("the reply is signed by {0}, which is no key of the role fresh")]
    Signer(KeyId),
    /// It cannot be read.
    #[error("the reply cannot be read")]
    Document(#[from] JsonError),
    /// It is of another fleet, from or to someone else, or about another message.
    #[error("the reply is not the orchestrator's answer to our message: {0}")]
    NotOurs(&'static str),
}

impl ReplyError {
    /// Whether it is about who signed, not about what was said.
    pub fn is_of_signature(&self) -> bool {
        matches!(self, ReplyError::Signature(_) | ReplyError::Signer(_))
    }
}

/// Verifies the reply to our message `id`.
///
/// The id is random and new, so the reply is too: no clock is needed, and the
/// time in it can be trusted.
///
/// # Errors
/// When it is not what a holder of one of the keys `fresh` answered to that message.
pub fn verify_reply(frame: &[u8], fresh: &[PublicKey], sender: &Sender, id: &str) -> Result<VerifiedReply, ReplyError> {
    let (signature, payload) = split_frame(frame)?;
    if payload.len() > MAX_MESSAGE_BYTES {
        return Err(ReplyError::TooLarge(payload.len()));
    }
    let key = fresh.iter().find(|key| key.id() == signature.key()).ok_or(ReplyError::Signer(signature.key()))?;
    signature.verify(payload, key)?;
    let message = Message::load(payload)?;
    if message.fleet != sender.fleet {
        return Err(ReplyError::NotOurs("another fleet"));
    }
    if message.from != Party::Orchestrator {
        return Err(ReplyError::NotOurs("another sender"));
    }
    if !matches!(&message.to, Party::Host(host) if host.key == sender.host.key) {
        return Err(ReplyError::NotOurs("another recipient"));
    }
    if message.in_reply_to.as_deref() != Some(id) {
        return Err(ReplyError::NotOurs("another message"));
    }
    Ok(VerifiedReply { id: message.id, issued: message.issued, body: message.body })
}

impl VerifiedReply {
    /// Its own id, which the orchestrator gave it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The orchestrator's time when it answered.
    pub fn issued(&self) -> Timestamp {
        self.issued
    }

    /// What it says.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// What it says, to keep.
    pub fn into_body(self) -> Body {
        self.body
    }
}
