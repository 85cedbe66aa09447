//! The names that both ends use at an AMQP broker.
//!
//! The orchestrator declares the exchanges and the inbound queues. An agent
//! declares its own queues and nothing else, so that a locked broker needs
//! to allow it no more: [`BrokerRights`].

use crate::host_id::HostId;
use crate::key::KeyId;
use crate::message::BodyType;

/// Topic exchange: hints, routed by host id, and live requests. It is of this kind because RabbitMQ checks by routing key
/// who binds to a topic exchange, and to no other.
pub const NOTIFY_EXCHANGE: &str = "muster.notify";

/// Topic exchange: what agents send.
pub const INBOUND_EXCHANGE: &str = "muster.inbound";

/// What the name of every reply queue begins with; replies go nowhere else.
pub const REPLY_QUEUE_PREFIX: &str = "muster.reply.";

/// The longest that the name of a queue may be, in bytes (AMQP 0.9.1, `shortstr`).
pub const MAX_QUEUE_NAME: usize = 255;

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

/// What RabbitMQ is to let the user of one host do: regular expressions for the names of queues and exchanges and, at
/// the two exchanges, for routing keys (`rabbitmqctl set_permissions`, `set_topic_permissions`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerRights {
    /// What it may declare: its own queues.
    pub configure: String,
    /// What it may write to: its own queues, which it binds, and [`INBOUND_EXCHANGE`].
    pub write: String,
    /// What it may read from: its own queues, and [`NOTIFY_EXCHANGE`], which it binds them to.
    pub read: String,
    /// By which routing keys it may publish to [`INBOUND_EXCHANGE`].
    pub publish: String,
    /// By which routing keys it may bind to [`NOTIFY_EXCHANGE`].
    pub bind: String,
}

impl BrokerRights {
    /// The rights of the host with this id and key.
    pub fn of(host: &HostId, key: KeyId) -> Self {
        let host = host.as_str().replace('.', "\\.");
        let own = format!("muster\\.(hints\\.{host}|live\\.{host}|reply\\.{key}\\.[0-9a-f]+)");
        let words: Vec<&str> = InboundQueue::ALL.iter().map(|queue| queue.word()).collect();
        Self {
            configure: format!("^{own}$"),
            write: format!("^({own}|muster\\.inbound)$"),
            read: format!("^({own}|muster\\.notify)$"),
            publish: format!("^({})\\.{host}$", words.join("|")),
            bind: format!("^(live/)?{host}$"),
        }
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
