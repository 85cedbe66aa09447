//! The status of the whole fleet.

use std::collections::BTreeMap;

use muster_schema::condition::Condition;
use muster_schema::manifest::HostIdentity;
use muster_schema::message::Announce;
use muster_schema::{CommitId, FleetName, HostId, PublicKey, Timestamp};

use super::{Assignments, Binding, HostStatus};
use crate::model::{EnrolmentToken, Finding};

/// What is known of the fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetStatus {
    /// The fleet.
    pub fleet: FleetName,
    /// Which revision each host is to have; what was verified.
    pub assignments: Assignments,
    /// The tip that was last looked at, verified or not.
    pub attempted: Option<CommitId>,
    /// Statements about the fleet: `Verified`, `Sound`, `StatusPushed`, `BrokerConnected`.
    pub conditions: Vec<Condition>,
    /// The faults of the newest verified revision.
    pub findings: Vec<Finding>,
    /// The hosts, declared ones and retired ones too.
    pub hosts: BTreeMap<HostId, HostStatus>,
    /// Agents that nobody has approved, by key: names select nothing.
    pub pending: BTreeMap<PublicKey, Pending>,
    /// The enrolment tokens of the newest verified revision, by name.
    pub tokens: Vec<EnrolmentToken>,
    /// Used enrolment tokens, by the token's key.
    pub bindings: BTreeMap<PublicKey, Binding>,
}

/// An agent that announced itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// What it said.
    pub announce: Announce,
    /// The host that it is, where the host's key of before says so: it is to be re-keyed.
    pub replaces: Option<HostIdentity>,
    /// When it was first heard of.
    pub first_seen: Timestamp,
}

impl FleetStatus {
    /// The status of a fleet of which nothing is known yet.
    pub fn new(fleet: FleetName) -> Self {
        FleetStatus {
            fleet,
            assignments: Assignments::default(),
            attempted: None,
            conditions: Vec::new(),
            findings: Vec::new(),
            hosts: BTreeMap::new(),
            pending: BTreeMap::new(),
            tokens: Vec::new(),
            bindings: BTreeMap::new(),
        }
    }

    /// The used token that alone makes a machine this host: its file does not name the key.
    pub fn token_of(&self, id: &HostId) -> Option<&Binding> {
        self.bindings.values().find(|binding| binding.host == *id && binding.counts() && !binding.confirmed)
    }

    /// What is stated of the fleet under this name.
    pub fn condition(&self, r#type: &str) -> Option<&Condition> {
        self.conditions.iter().find(|held| held.r#type == r#type)
    }

    /// States a condition. Its `last_transition` stays where its status does.
    pub fn set_condition(&mut self, mut condition: Condition) {
        match self.conditions.iter_mut().find(|held| held.r#type == condition.r#type) {
            Some(held) => {
                if held.status == condition.status {
                    condition.last_transition = held.last_transition;
                }
                *held = condition;
            }
            None => self.conditions.push(condition),
        }
    }
}
