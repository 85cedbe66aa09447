//! Messages between agents and the orchestrator.
//!
//! On the wire: a frame (see [`crate::envelope::split_frame`]) of the
//! sender's signature and the message's JSON. An agent signs with the host's
//! key, the orchestrator with the fresh role's.

use schemars::JsonSchema;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::api::Method;
use crate::facts::Facts;
use crate::fleet_name::FleetName;
use crate::host_id::HostId;
use crate::json::{self, JsonError};
use crate::key::PublicKey;
use crate::manifest::HostIdentity;
use crate::report::Report;
use crate::timestamp::Timestamp;

mod token_claim;
pub use token_claim::{TokenClaim, claim_statement};
#[cfg(test)]
mod tests;

/// The largest message, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 2 * 1024 * 1024;

/// One end of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// The fleet's orchestrator.
    Orchestrator,
    /// A host. Before its approval the id is the name that it claims, and binds nothing.
    Host(HostIdentity),
}

/// A message; what is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The fleet.
    pub fleet: FleetName,
    /// Who sends it.
    pub from: Party,
    /// Who is to read it.
    pub to: Party,
    /// Unique; 32 hexadecimal digits.
    pub id: String,
    /// Rises with every message of the sender, without regard to restarts:
    /// at least one more than the last, and at least the Unix time in milliseconds.
    pub seq: u64,
    /// When it was signed.
    pub issued: Timestamp,
    /// When it is no more to be acted upon.
    pub expires: Timestamp,
    /// The id of the message that this one answers.
    pub in_reply_to: Option<String>,
    /// What it says.
    pub body: Body,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Body {
    /// Agent: a host that is not enrolled shows itself.
    Announce(Box<Announce>),
    /// Orchestrator: prove that both keys are yours.
    Challenge(Challenge),
    /// Agent: the challenge, decrypted.
    ChallengeAnswer(ChallengeAnswer),
    /// Orchestrator: you are enrolled, under this id.
    Enrolled(Enrolled),
    /// Agent: facts that changed, or that are new.
    Facts(Box<FactsBody>),
    /// Agent: the state of the host.
    Report(Box<Report>),
    /// Agent: I am here.
    Presence(Presence),
    /// Agent: give me a head that holds this nonce.
    HeadRequest(HeadRequest),
    /// Orchestrator: the head asked for.
    HeadReply(HeadReply),
    /// Agent: give me this file of the published tree.
    Fetch(Fetch),
    /// Agent: wait until there is something new for me (HTTP only).
    HintRequest(HintRequest),
    /// Orchestrator: answer this now, if you are there.
    LiveRequest(LiveRequest),
    /// Agent: the answer to a live request.
    LiveAnswer(LiveAnswer),
    /// Orchestrator: your message was taken, or why it was not.
    Receipt(Receipt),
}

/// The first sign of a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Announce {
    /// The name that the host would like.
    pub name: HostId,
    /// Its age recipient.
    pub recipient: String,
    /// The version of its program.
    pub agent: String,
    /// The newest manifest schema it reads.
    pub schema: u32,
    /// What it says of itself.
    pub facts: Facts,
    /// The host's key of before, where this one is to follow it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replaces: Option<Replaces>,
    /// The word of an enrolment token, where the host has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token: Option<TokenClaim>,
}

/// A host's key says which key is to follow it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Replaces {
    /// The key of before.
    pub key: PublicKey,
    /// The text of its signature over [`successor_statement`].
    pub signature: String,
}

/// What the key of before signs: which key and which age recipient are to follow it, in which fleet.
pub fn successor_statement(fleet: &FleetName, before: &PublicKey, key: &PublicKey, recipient: &str) -> Vec<u8> {
    format!("muster successor\nfleet: {fleet}\nbefore: {before}\nkey: {key}\nrecipient: {recipient}\n").into_bytes()
}

/// A proof is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Challenge {
    /// Random bytes, encrypted by age to the announced recipient; base64.
    pub ciphertext: String,
}

/// The proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChallengeAnswer {
    /// The decrypted bytes; hexadecimal.
    pub answer: String,
    /// The age recipient, so that this signed message binds it to the key.
    pub recipient: String,
    /// What a broker is to keep of the host's password there, as [`crate::bus::hash_password`] makes it. The password
    /// stays on the host.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub broker_hash: Option<String>,
}

/// The end of enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Enrolled {
    /// The host's id, from the signed repository.
    pub id: HostId,
}

/// Facts and what reads them needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FactsBody {
    /// The version of the agent's program.
    pub agent: String,
    /// The newest manifest schema it reads.
    pub schema: u32,
    /// The facts.
    pub facts: Facts,
}

/// A sign of life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Presence {
    /// The version of the agent's program.
    pub agent: String,
    /// Which of its starts this is: random, new each time that it starts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub start: Option<String>,
    /// The id of the newest answer to a presence that reached this start.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub heard: Option<String>,
}

/// Asks for a head that cannot be a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeadRequest {
    /// Random; 32 hexadecimal digits.
    pub nonce: String,
}

/// A head and its signature, each byte for byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeadReply {
    /// The head's JSON; none when the host has no head yet.
    pub head: Option<String>,
    /// The text of its signature.
    pub signature: Option<String>,
    /// The version of the newest root document: an agent that has an older one fetches it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub root: Option<u64>,
}

/// Asks for a file of the published tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fetch {
    /// Its path, relative to the tree's top.
    pub path: String,
}

/// Asks to be told when there is something new.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HintRequest {
    /// The number of the last hint that was seen; 0 at first.
    pub after: u64,
}

/// A request of the agent's own API, for one host. The message that carries it is acted upon once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LiveRequest {
    /// How it is asked.
    pub method: Method,
    /// Path and query: `/v1/packages/nginx`.
    pub target: String,
}

/// The answer, as the agent's own API gives it. The message names the request in `in_reply_to`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LiveAnswer {
    /// The HTTP status.
    pub status: u16,
    /// JSON: what was asked for, or a problem (see [`crate::api::Problem`]).
    pub body: String,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Whether its effect is durable.
    pub accepted: bool,
    /// The word of a [`crate::ReceiptCode`].
    pub code: String,
    /// For people.
    pub message: String,
    /// With `Replayed`: the highest sequence number that was taken; the sender
    /// goes on above it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seq: Option<u64>,
}

/// Something new is there for a host. Not signed: it causes a look, nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hint {
    /// Rises with every hint to the host.
    pub hint: u64,
}

macro_rules! body_types {
    ($($variant:ident($type:ty) = $word:literal),* $(,)?) => {
        /// The type of a message.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum BodyType {
            $(#[doc = concat!("`", $word, "`")] #[serde(rename = $word)] $variant,)*
        }

        impl Body {
            /// The word that the message's `type` holds.
            pub fn body_type(&self) -> BodyType {
                match self { $(Body::$variant(_) => BodyType::$variant,)* }
            }

            fn load(body_type: BodyType, json: &str) -> Result<Self, serde_json::Error> {
                Ok(match body_type {
                    $(BodyType::$variant => Body::$variant(serde_json::from_str::<$type>(json)?.into()),)*
                })
            }
        }
    };
}
body_types! {
    Announce(Announce) = "announce",
    Challenge(Challenge) = "challenge",
    ChallengeAnswer(ChallengeAnswer) = "challenge_answer",
    Enrolled(Enrolled) = "enrolled",
    Facts(FactsBody) = "facts",
    Report(Report) = "report",
    Presence(Presence) = "presence",
    HeadRequest(HeadRequest) = "head_request",
    HeadReply(HeadReply) = "head_reply",
    Fetch(Fetch) = "fetch",
    HintRequest(HintRequest) = "hint_request",
    LiveRequest(LiveRequest) = "live_request",
    LiveAnswer(LiveAnswer) = "live_answer",
    Receipt(Receipt) = "receipt",
}

/// The wire form; the body is read when the type is known.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<B> {
    r#type: BodyType,
    fleet: FleetName,
    from: Party,
    to: Party,
    id: String,
    seq: u64,
    issued: Timestamp,
    expires: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    in_reply_to: Option<String>,
    body: B,
}

impl Message {
    /// Reads a message. The signature must have been checked before, but for the
    /// announcement of a key that nobody knows yet.
    ///
    /// # Errors
    /// When the bytes are no message of a known type.
    pub fn load(bytes: &[u8]) -> Result<Self, JsonError> {
        json::load_strict::<IgnoredAny>(bytes, MAX_MESSAGE_BYTES)?;
        let wire: Wire<&RawValue> = serde_json::from_slice(bytes)?;
        let Wire { r#type, fleet, from, to, id, seq, issued, expires, in_reply_to, body } = wire;
        let body = Body::load(r#type, body.get())?;
        Ok(Message { fleet, from, to, id, seq, issued, expires, in_reply_to, body })
    }

    /// The bytes to sign and send.
    ///
    /// # Errors
    /// Never for a message that serialises; the error is serde's.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let Message { fleet, from, to, id, seq, issued, expires, in_reply_to, body } = self.clone();
        let r#type = body.body_type();
        serde_json::to_vec(&Wire { r#type, fleet, from, to, id, seq, issued, expires, in_reply_to, body })
    }

    /// The host that sends it, when a host does.
    pub fn sender(&self) -> Option<&HostIdentity> {
        match &self.from {
            Party::Host(host) => Some(host),
            Party::Orchestrator => None,
        }
    }
}
