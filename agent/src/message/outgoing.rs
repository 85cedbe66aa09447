//! What the agent sends.

use std::time::Duration;

use muster_schema::manifest::HostIdentity;
use muster_schema::message::{Body, BodyType, Message, Party};
use muster_schema::{FleetName, HostId, Timestamp};

/// What every message of one host has in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// The fleet, from the verified root.
    pub fleet: FleetName,
    /// The host; before enrolment under the name that it claims.
    pub host: HostIdentity,
}

/// A message until its reply came. However often it is signed and sent, id and
/// `seq` stay, so that the orchestrator acts on it once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Unique; 32 hexadecimal digits.
    pub id: String,
    /// Higher than that of the messages before it.
    pub seq: u64,
    /// The id of the message that it answers.
    pub in_reply_to: Option<String>,
    /// What it says.
    pub body: Body,
}

/// A message as it goes over a transport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedMessage {
    /// The message's id; its reply names it.
    pub id: String,
    /// The type of its body.
    pub body_type: BodyType,
    /// The sender's id.
    pub host: HostId,
    /// Signature and payload; see [`muster_schema::envelope::join_frame`].
    pub frame: Vec<u8>,
    /// How long it is worth something.
    pub life: Duration,
}

impl Outgoing {
    /// How long a message of this type may be acted upon after it was signed.
    ///
    /// A report waits in the broker while the orchestrator is away; the rest is
    /// of no use after a minute.
    pub fn life(&self) -> Duration {
        match self.body {
            Body::Report(_) | Body::Facts(_) => Duration::from_secs(24 * 60 * 60),
            _ => Duration::from_secs(60),
        }
    }

    /// The bytes to sign at `now`.
    ///
    /// # Errors
    /// Never for a body that serialises; the error is serde's.
    pub fn to_payload(&self, sender: &Sender, now: Timestamp) -> Result<Vec<u8>, serde_json::Error> {
        let message = Message {
            fleet: sender.fleet.clone(),
            from: Party::Host(sender.host.clone()),
            to: Party::Orchestrator,
            id: self.id.clone(),
            seq: self.seq,
            issued: now,
            expires: now.plus(self.life()),
            in_reply_to: self.in_reply_to.clone(),
            body: self.body.clone(),
        };
        message.to_bytes()
    }
}
