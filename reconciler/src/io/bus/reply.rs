//! Replies and requests, signed by the key of the role `fresh`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use muster_schema::envelope::join_frame;
use muster_schema::manifest::HostIdentity;
use muster_schema::message::{Body, Message, Party, Receipt};
use muster_schema::{FleetName, ReceiptCode};

use crate::inbound::Refusal;
use crate::io::clock;
use crate::io::signer::Signer;

const LIFE: Duration = Duration::from_secs(60);

/// What goes back to the sender of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It was taken; the frame of the answer.
    Taken(Vec<u8>),
    /// It was refused; the code, and the frame of the receipt that says so.
    Refused(ReceiptCode, Vec<u8>),
    /// It was refused and proved no sender that could be told.
    Dropped(ReceiptCode, String),
}

impl Reply {
    /// Why the frame was refused; none when it was taken.
    pub fn refusal(&self) -> Option<ReceiptCode> {
        match self {
            Reply::Taken(_) => None,
            Reply::Refused(code, _) | Reply::Dropped(code, _) => Some(*code),
        }
    }
}

/// Writes and signs replies.
pub(super) struct ReplyWriter {
    fleet: FleetName,
    fresh: Arc<dyn Signer>,
    last_seq: AtomicU64,
}

/// A receipt that says yes.
pub(super) fn accept(code: ReceiptCode, message: &str) -> Body {
    Body::Receipt(Receipt { accepted: true, code: code.to_string(), message: message.to_owned(), seq: None })
}

impl ReplyWriter {
    pub(super) fn new(fleet: FleetName, fresh: Arc<dyn Signer>) -> Self {
        ReplyWriter { fleet, fresh, last_seq: AtomicU64::new(0) }
    }

    /// The reply to the message `id` of `host`.
    pub(super) fn answer(&self, host: &HostIdentity, id: &str, body: Body) -> Reply {
        self.answer_as(host, id, body).0
    }

    /// As [`ReplyWriter::answer`], with the reply's own id.
    pub(super) fn answer_as(&self, host: &HostIdentity, id: &str, body: Body) -> (Reply, Option<String>) {
        let refusal = match &body {
            Body::Receipt(receipt) if !receipt.accepted => {
                Some(ReceiptCode::load(&receipt.code).unwrap_or(ReceiptCode::Malformed))
            }
            _ => None,
        };
        match (self.write(host, Some(id.to_owned()), body, LIFE), refusal) {
            (Ok((own, frame)), None) => (Reply::Taken(frame), Some(own)),
            (Ok((own, frame)), Some(code)) => (Reply::Refused(code, frame), Some(own)),
            (Err(error), _) => {
                tracing::error!(error = &*error, "a reply cannot be signed");
                (Reply::Dropped(ReceiptCode::Busy, "the reply cannot be signed".to_owned()), None)
            }
        }
    }

    /// The reply that tells a refusal.
    pub(super) fn refuse(&self, refusal: Refusal) -> Reply {
        let Refusal { code, message, seq, answer_to } = refusal;
        let Some(to) = answer_to else { return Reply::Dropped(code, message) };
        let (host, id) = *to;
        self.answer(&host, &id, Body::Receipt(Receipt { accepted: false, code: code.to_string(), message, seq }))
    }

    /// A message to `host` that answers none, good for `life`: its id and its frame.
    pub(super) fn request(&self, host: &HostIdentity, body: Body, life: Duration) -> Option<(String, Vec<u8>)> {
        let written = self.write(host, None, body, life);
        written.inspect_err(|error| tracing::error!(error = &**error, "a request cannot be signed")).ok()
    }

    fn write(
        &self,
        host: &HostIdentity,
        in_reply_to: Option<String>,
        body: Body,
        life: Duration,
    ) -> Result<(String, Vec<u8>), Box<dyn std::error::Error + Send + Sync>> {
        let now = clock::now();
        let last = self.last_seq.fetch_max(now.0, Ordering::Relaxed).max(now.0);
        let seq = self.last_seq.fetch_add(1, Ordering::Relaxed).max(last).saturating_add(1);
        let mut reply_id = [0; 16];
        getrandom::fill(&mut reply_id).map_err(|error| error.to_string())?;
        let message = Message {
            fleet: self.fleet.clone(),
            from: Party::Orchestrator,
            to: Party::Host(host.clone()),
            id: hex::encode(reply_id),
            seq,
            issued: now,
            expires: now.plus(life),
            in_reply_to,
            body,
        };
        let payload = message.to_bytes()?;
        let signature = self.fresh.sign(&payload, "muster message")?;
        Ok((message.id, join_frame(&signature, &payload)))
    }
}
