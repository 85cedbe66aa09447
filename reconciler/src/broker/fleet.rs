//! The definitions of a fleet, from what its status says of the hosts.

use muster_schema::bus::{
    BrokerRights, BrokerUser, HINT_QUEUE_LIFE_MS, INBOUND_EXCHANGE, LIVE_REQUEST_LIFE_MS, MAX_LIVE_REQUESTS,
    MAX_REPLY_QUEUE_BYTES, NOTIFY_EXCHANGE,
};
use muster_schema::json::JsonError;
use muster_schema::message::{Body, Message};
use muster_schema::{FleetName, HostId, KeyId};
use serde_json::{Value, json};

use super::definitions::{Definitions, Permission, Policy, SHA256, Tags, TopicPermission, User, Vhost};
use crate::enrolment::MAX_PENDING;
use crate::status::{FleetStatus, HostStatus};

/// Connections of one host at once: one that broke is known to be dead after two heartbeats only.
const HOST_CONNECTIONS: u64 = 8;
const CHANNELS_PER_CONNECTION: u64 = 2;
/// Above what a site sets for all queues, which has 0 unless it is said.
const PRIORITY: i64 = 100;

/// What a host logs in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostLogin {
    /// The host.
    pub host: HostId,
    /// The id of its key.
    pub key: KeyId,
    /// What the broker keeps of its password.
    pub password_hash: String,
}

/// The hosts that are to have a user, and those that cannot have one because their proof of enrolment holds no hash.
/// A host that left has one until it has reported that it heard of it.
///
/// # Errors
/// Never for proofs that were verified; the error is that of their form.
pub fn host_logins(status: &FleetStatus) -> Result<(Vec<HostLogin>, Vec<HostId>), JsonError> {
    let (mut logins, mut without) = (Vec::new(), Vec::new());
    for (host, known) in &status.hosts {
        let Some((key, proof)) = key_of(known).zip(known.enrolment.as_ref()) else { continue };
        let hash = match Message::load(&proof.bytes)?.body {
            Body::ChallengeAnswer(answer) => answer.broker_hash,
            _ => None,
        };
        match hash {
            Some(password_hash) => logins.push(HostLogin { host: host.clone(), key, password_hash }),
            None => without.push(host.clone()),
        }
    }
    Ok((logins, without))
}

fn key_of(host: &HostStatus) -> Option<KeyId> {
    host.key.filter(|_| host.retired.is_none() || !host.retirement_done).map(|key| key.id())
}

/// What the broker is to know of `fleet` in `vhost`. Of passwords it is given the hashes.
pub fn render_definitions(
    fleet: &FleetName,
    vhost: &str,
    orchestrator: &str,
    enrolment: &str,
    hosts: &[HostLogin],
) -> Definitions {
    let mut definitions = Definitions {
        vhosts: vec![Vhost { name: vhost.to_owned() }],
        policies: policies(vhost),
        ..Definitions::default()
    };
    let mut add = |user: BrokerUser, hash: &str, rights: BrokerRights, connections: Option<u64>| {
        let name = user.name(fleet);
        let limits = connections
            .map(|most| [("max-connections", most), ("max-channels", most * CHANNELS_PER_CONNECTION)])
            .into_iter()
            .flatten();
        let BrokerRights { configure, write, read, inbound, notify } = rights;
        for (exchange, topic) in [(INBOUND_EXCHANGE, inbound), (NOTIFY_EXCHANGE, notify)] {
            definitions.topic_permissions.push(TopicPermission {
                user: name.clone(),
                vhost: vhost.to_owned(),
                exchange: exchange.to_owned(),
                write: topic.write,
                read: topic.read,
            });
        }
        definitions.permissions.push(Permission {
            user: name.clone(),
            vhost: vhost.to_owned(),
            configure,
            write,
            read,
        });
        definitions.users.push(User {
            name,
            password_hash: hash.to_owned(),
            hashing_algorithm: SHA256.to_owned(),
            tags: Tags(vec![BrokerUser::tag(fleet)]),
            limits: limits.map(|(name, most)| (name.to_owned(), most)).collect(),
        });
    };
    add(BrokerUser::Orchestrator, orchestrator, BrokerRights::of_orchestrator(), None);
    add(BrokerUser::Enrolment, enrolment, BrokerRights::of_enrolment(), Some(MAX_PENDING as u64));
    for HostLogin { host, key, password_hash } in hosts {
        let rights = BrokerRights::of(host, *key);
        add(BrokerUser::Host(host.clone()), password_hash, rights, Some(HOST_CONNECTIONS));
    }
    definitions
}

/// Agents say these limits when they declare a queue; here they hold for one that says none.
fn policies(vhost: &str) -> Vec<Policy> {
    let hints = json!({"max-length": 1, "overflow": "drop-head", "expires": HINT_QUEUE_LIFE_MS});
    let live = json!({"max-length": MAX_LIVE_REQUESTS, "overflow": "reject-publish",
        "message-ttl": LIVE_REQUEST_LIFE_MS, "expires": HINT_QUEUE_LIFE_MS});
    let reply = json!({"max-length-bytes": MAX_REPLY_QUEUE_BYTES, "expires": HINT_QUEUE_LIFE_MS});
    let policy = |(word, limits): (&str, Value)| Policy {
        vhost: vhost.to_owned(),
        name: format!("muster-{word}"),
        pattern: format!("^muster\\.{word}\\."),
        apply_to: "queues".to_owned(),
        definition: limits.as_object().cloned().unwrap_or_default(),
        priority: PRIORITY,
    };
    [("hints", hints), ("live", live), ("reply", reply)].map(policy).into()
}
