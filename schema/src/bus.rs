//! The names that both ends use at an AMQP broker.
//!
//! The orchestrator declares the exchanges and the inbound queues. An agent
//! declares its own queues and nothing else, so that a locked broker needs
//! to allow it no more: [`BrokerRights`].

mod rights;
#[cfg(test)]
mod tests;
mod user;

pub use rights::{BrokerRights, TopicRights};
pub use user::{BrokerUser, hash_password};

use crate::envelope::MAX_SIGNATURE_BYTES;
use crate::host_id::HostId;
use crate::key::KeyId;
use crate::message::{BodyType, MAX_MESSAGE_BYTES};

/// Topic exchange: hints, routed by host id, and live requests. It is of this kind because RabbitMQ checks by routing key
/// who binds to a topic exchange, and to no other.
pub const NOTIFY_EXCHANGE: &str = "muster.notify";

/// Topic exchange: what agents send.
pub const INBOUND_EXCHANGE: &str = "muster.inbound";

/// What the name of every reply queue begins with; replies go nowhere else.
pub const REPLY_QUEUE_PREFIX: &str = "muster.reply.";

/// What the names of reply queues of hosts begin with that are not enrolled yet.
pub const ENROLMENT_REPLY_PREFIX: &str = "muster.reply.enrol.";

/// The most bytes of a message with its signature.
pub const MAX_FRAME_BYTES: usize = MAX_MESSAGE_BYTES + MAX_SIGNATURE_BYTES;

/// Bytes that may wait in a reply queue. Who else may publish to it cannot fill an agent's memory.
pub const MAX_REPLY_QUEUE_BYTES: usize = 2 * MAX_FRAME_BYTES;

/// Milliseconds after which a hint queue that nobody reads goes away: its host is gone.
pub const HINT_QUEUE_LIFE_MS: u32 = 24 * 60 * 60 * 1000;

/// Live requests that may wait for a host; more are refused to the orchestrator.
pub const MAX_LIVE_REQUESTS: u16 = 32;

/// Milliseconds that a live request waits for its host: nobody waits longer for an answer.
pub const LIVE_REQUEST_LIFE_MS: u16 = 30_000;

/// The longest that the name of a queue may be, in bytes (AMQP 0.9.1, `shortstr`).
pub const MAX_QUEUE_NAME: usize = 255;

/// Whether the way to `host`, a name or an address, leaves this machine: without TLS others can read on it.
pub fn leaves_this_machine(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    !address.map_or(host == "localhost", |address| address.is_loopback())
}

/// A queue of what agents send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InboundQueue {
    /// Reports and facts: kept until their effect is durable.
    Report,
    /// Signs of life.
    Presence,
    /// Announcements and answers to challenges.
    Enrol,
    /// Requests for heads.
    Request,
    /// Answers to live requests.
    Answer,
}

impl InboundQueue {
    /// All of them.
    pub const ALL: [InboundQueue; 5] = [
        InboundQueue::Report,
        InboundQueue::Presence,
        InboundQueue::Enrol,
        InboundQueue::Request,
        InboundQueue::Answer,
    ];

    /// The queue that messages of this type go to; none for those that agents
    /// do not send by a broker.
    pub fn of(body_type: BodyType) -> Option<Self> {
        match body_type {
            BodyType::Report | BodyType::Facts => Some(InboundQueue::Report),
            BodyType::Presence => Some(InboundQueue::Presence),
            BodyType::Announce | BodyType::ChallengeAnswer => Some(InboundQueue::Enrol),
            BodyType::HeadRequest => Some(InboundQueue::Request),
            BodyType::LiveAnswer => Some(InboundQueue::Answer),
            BodyType::Challenge
            | BodyType::Enrolled
            | BodyType::HeadReply
            | BodyType::Fetch
            | BodyType::HintRequest
            | BodyType::LiveRequest
            | BodyType::Receipt => None,
        }
    }

    /// The queue's name.
    pub fn name(self) -> &'static str {
        match self {
            InboundQueue::Report => "muster.report",
            InboundQueue::Presence => "muster.presence",
            InboundQueue::Enrol => "muster.enrol",
            InboundQueue::Request => "muster.request",
            InboundQueue::Answer => "muster.answer",
        }
    }

    /// What its routing keys begin with.
    fn word(self) -> &'static str {
        match self {
            InboundQueue::Report => "report",
            InboundQueue::Presence => "presence",
            InboundQueue::Enrol => "enrol",
            InboundQueue::Request => "request",
            InboundQueue::Answer => "answer",
        }
    }

    /// The pattern that it is bound to [`INBOUND_EXCHANGE`] by.
    pub fn pattern(self) -> String {
        format!("{}.#", self.word())
    }

    /// The routing key of what `host` sends to it.
    pub fn routing_key(self, host: &HostId) -> String {
        format!("{}.{host}", self.word())
    }

    /// Whether messages in it survive the broker.
    pub fn is_durable(self) -> bool {
        self == InboundQueue::Report
    }
}

/// The queue of hints to a host.
pub fn hint_queue(host: &HostId) -> String {
    format!("muster.hints.{host}")
}

/// The queue of live requests to a host. It is there as long as somebody reads it.
pub fn live_queue(host: &HostId) -> String {
    format!("muster.live.{host}")
}

/// The key by which [`NOTIFY_EXCHANGE`] routes live requests to a host. Hints go by the bare id, which has no slash.
pub fn live_routing_key(host: &HostId) -> String {
    format!("live/{host}")
}

/// The queue of replies to one connection of the agent with this key; `random`
/// makes it the connection's own.
pub fn reply_queue(key: KeyId, random: u64) -> String {
    format!("{REPLY_QUEUE_PREFIX}{key}.{random:016x}")
}

/// The queue of replies to one connection of an agent that is not enrolled yet.
pub fn enrolment_reply_queue(key: KeyId, random: u64) -> String {
    format!("{ENROLMENT_REPLY_PREFIX}{key}.{random:016x}")
}
