//! Live requests of the orchestrator, verified.

use std::time::Duration;

use muster_schema::PublicKey;
use muster_schema::Timestamp;
use muster_schema::envelope::split_frame;
use muster_schema::message::{Body, LiveRequest, MAX_MESSAGE_BYTES, Message, Party};

use super::Sender;
use crate::verify::{Reject, RejectCode};

/// How far the orchestrator's clock may be ahead of ours.
const MAX_AHEAD: Duration = Duration::from_secs(5 * 60);
/// No request is good for longer, whatever it says.
const MAX_LIFE: Duration = Duration::from_secs(60);

/// A request that a key of the role `fresh` signed, to us, for now. Whether it was made before is yet to be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedRequest {
    id: String,
    expires: Timestamp,
    request: LiveRequest,
}

/// A request that is not acted upon.
#[derive(Debug)]
pub struct RefusedRequest {
    /// Why.
    pub reject: Reject,
    /// Its id, where the orchestrator asked us and is to be told; only its time is wrong.
    pub answer_to: Option<String>,
}

/// Verifies the frame of a request at `now`.
///
/// # Errors
/// When it is not what a holder of one of the keys `fresh` asks of this host now.
pub fn verify_request(
    frame: &[u8],
    fresh: &[PublicKey],
    sender: &Sender,
    now: Timestamp,
) -> Result<VerifiedRequest, RefusedRequest> {
    let refuse =
        |code, message: &dyn std::fmt::Display| RefusedRequest { reject: Reject::new(code, message), answer_to: None };
    let (signature, payload) = split_frame(frame).map_err(|error| refuse(RejectCode::RequestSignature, &error))?;
    if payload.len() > MAX_MESSAGE_BYTES {
        return Err(refuse(RejectCode::RequestMalformed, &"it is larger than messages are"));
    }
    let key = fresh.iter().find(|key| key.id() == signature.key());
    let key = key.ok_or_else(|| refuse(RejectCode::RequestSignature, &"it is signed by no key of the role fresh"))?;
    signature.verify(payload, key).map_err(|error| refuse(RejectCode::RequestSignature, &error))?;
    let message = Message::load(payload).map_err(|error| refuse(RejectCode::RequestMalformed, &error))?;
    if message.fleet != sender.fleet || message.from != Party::Orchestrator {
        return Err(refuse(RejectCode::RequestOtherHost, &"it is of another fleet, or not the orchestrator's"));
    }
    if message.to != Party::Host(sender.host.clone()) {
        return Err(refuse(RejectCode::RequestOtherHost, &"it is for another host"));
    }
    let Body::LiveRequest(request) = message.body else {
        return Err(refuse(RejectCode::RequestMalformed, &"it is another kind of message"));
    };
    let over = message.expires <= now || now.since(message.issued) > MAX_LIFE;
    if over || message.issued > now.plus(MAX_AHEAD) {
        let reject = Reject::new(RejectCode::RequestExpired, "its time is not now; is this host's clock right?");
        return Err(RefusedRequest { reject, answer_to: Some(message.id) });
    }
    let expires = message.expires.min(message.issued.plus(MAX_LIFE));
    Ok(VerifiedRequest { id: message.id, expires, request })
}

impl VerifiedRequest {
    /// The message's id; the answer names it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// From then on it would be refused for its time.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// What is asked.
    pub fn request(&self) -> &LiveRequest {
        &self.request
    }
}
