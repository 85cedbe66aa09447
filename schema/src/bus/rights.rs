//! What RabbitMQ is to let its users do.

use super::{ENROLMENT_REPLY_PREFIX, INBOUND_EXCHANGE, InboundQueue, NOTIFY_EXCHANGE};
use crate::host_id::HostId;
use crate::key::KeyId;

/// Matches nothing.
const NOTHING: &str = "^$";
/// Matches everything.
const ALL: &str = ".*";
/// By this name RabbitMQ asks for the right to write to the default exchange, and so to every queue.
const DEFAULT_EXCHANGE: &str = "amq\\.default";

/// What one user may do: regular expressions for the names of queues and exchanges and, at the two exchanges, for
/// routing keys (`rabbitmqctl set_permissions`, `set_topic_permissions`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerRights {
    /// What it may declare and delete.
    pub configure: String,
    /// What it may publish to, and which queues it may bind.
    pub write: String,
    /// What it may consume, and which exchanges it may bind to.
    pub read: String,
    /// Routing keys at [`INBOUND_EXCHANGE`].
    pub inbound: TopicRights,
    /// Routing keys at [`NOTIFY_EXCHANGE`].
    pub notify: TopicRights,
}

/// Which routing keys may be used at a topic exchange. RabbitMQ allows all of them where nothing is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicRights {
    /// To publish by.
    pub write: String,
    /// To bind by.
    pub read: String,
}

impl TopicRights {
    fn new(write: impl Into<String>, read: impl Into<String>) -> Self {
        TopicRights { write: write.into(), read: read.into() }
    }
}

impl BrokerRights {
    /// The rights of the host with this id and key: its own queues, which it binds by its own routing keys, and to
    /// send in its own name.
    pub fn of(host: &HostId, key: KeyId) -> Self {
        let host = host.as_str().replace('.', "\\.");
        let own = format!("muster\\.(hints\\.{host}|live\\.{host}|reply\\.{key}\\.[0-9a-f]+)");
        let words: Vec<&str> = InboundQueue::ALL.iter().map(|queue| queue.word()).collect();
        Self {
            configure: format!("^{own}$"),
            write: format!("^({own}|muster\\.inbound)$"),
            read: format!("^({own}|muster\\.notify)$"),
            inbound: TopicRights::new(format!("^({})\\.{host}$", words.join("|")), NOTHING),
            notify: TopicRights::new(NOTHING, format!("^(live/)?{host}$")),
        }
    }

    /// The rights of the user that all hosts share until they are enrolled: to announce themselves, and to read what
    /// is answered to their own connection.
    pub fn of_enrolment() -> Self {
        let own = format!("{}[0-9A-F]{{16}}\\.[0-9a-f]+", ENROLMENT_REPLY_PREFIX.replace('.', "\\."));
        Self {
            configure: format!("^{own}$"),
            write: format!("^({own}|muster\\.inbound)$"),
            read: format!("^{own}$"),
            inbound: TopicRights::new(format!("^{}\\..+$", InboundQueue::Enrol.word()), NOTHING),
            notify: TopicRights::new(NOTHING, NOTHING),
        }
    }

    /// The rights of the orchestrator: the exchanges and the inbound queues, and to answer into reply queues, which
    /// goes by the default exchange.
    pub fn of_orchestrator() -> Self {
        let mut own = vec![NOTIFY_EXCHANGE, INBOUND_EXCHANGE];
        own.extend(InboundQueue::ALL.iter().map(|queue| queue.name()));
        let own = own.join("|").replace('.', "\\.");
        Self {
            configure: format!("^({own})$"),
            write: format!("^({own}|{DEFAULT_EXCHANGE})$"),
            read: format!("^({own})$"),
            inbound: TopicRights::new(NOTHING, ALL),
            notify: TopicRights::new(ALL, NOTHING),
        }
    }
}
