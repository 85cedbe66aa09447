//! What a render reads, lacks and finds on its way.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use minijinja::Value;
use muster_schema::HostId;
use muster_schema::document::Selector;
use serde::Serialize;

use super::FactsOfFleet;
use super::facts::value_of_fact;
use crate::model::{Finding, Model};

/// Something outside the repository that a render depends on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Read {
    /// A fact of a host.
    Fact {
        /// The host.
        host: HostId,
        /// The fact's name.
        name: &'static str,
    },
    /// Which of the selected hosts have reported.
    Reported {
        /// The environment that was asked for; none for the whole fleet.
        environment: Option<Arc<str>>,
        /// The selector.
        selector: Arc<str>,
    },
}

/// What a render read, each with a hash of the answer it got.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads(BTreeMap<Read, u64>);

impl Reads {
    /// The facts that were read.
    pub fn facts(&self) -> impl Iterator<Item = (&HostId, &'static str)> {
        self.0.keys().filter_map(|read| match read {
            Read::Fact { host, name } => Some((host, *name)),
            Read::Reported { .. } => None,
        })
    }

    /// Whether nothing outside the repository was read.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every read would get the same answer now.
    pub fn still_hold(&self, model: &Model, facts: &FactsOfFleet) -> bool {
        self.0.iter().all(|(read, answer)| answer_now(read, model, facts) == Some(*answer))
    }

    pub(super) fn note(&mut self, read: Read, answer: u64) {
        self.0.insert(read, answer);
    }
}

/// The hash of the answer that a read gets now.
fn answer_now(read: &Read, model: &Model, facts: &FactsOfFleet) -> Option<u64> {
    match read {
        Read::Fact { host, name } => Some(answer_of_fact(facts, host, name)),
        Read::Reported { environment, selector } => {
            let selector: Selector = selector.parse().ok()?;
            let selected = model.select(environment.as_deref(), &selector);
            Some(answer_of_selection(&selected, facts))
        }
    }
}

pub(super) fn answer_of_fact(facts: &FactsOfFleet, host: &HostId, name: &str) -> u64 {
    let value = facts.of(host).map(|facts| value_of_fact(facts, name).unwrap_or(Value::UNDEFINED).to_string());
    hash_of(&value)
}

pub(super) fn answer_of_selection(selected: &[HostId], facts: &FactsOfFleet) -> u64 {
    let reported: Vec<(&HostId, bool)> = selected.iter().map(|host| (host, facts.has_reported(host))).collect();
    hash_of(&reported)
}

fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// A fact that a render needs and that has not been reported.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct MissingFact {
    /// The host that has not reported.
    pub host: HostId,
    /// The fact; none where any report would do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fact: Option<&'static str>,
}

impl fmt::Display for MissingFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fact {
            Some(fact) => write!(f, "{fact} of {}", self.host),
            None => write!(f, "facts of {}", self.host),
        }
    }
}

/// The notes of one host's render.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    pub(super) reads: Reads,
    pub(super) missing: BTreeSet<MissingFact>,
    pub(super) found: Vec<Finding>,
    /// Faults and waits so far; an evaluation during which it grew has no result.
    pub(super) stops: usize,
    /// Whether what is being evaluated has read a fact.
    pub(super) tainted: bool,
    /// What a value of the scope objects to; placed by the evaluation that runs.
    pub(super) objection: Option<(String, Option<String>)>,
    /// The settings that are being evaluated, outermost first.
    pub(super) stack: Vec<String>,
}

impl Record {
    pub(super) fn miss(&mut self, missing: MissingFact) {
        self.missing.insert(missing);
        self.stops += 1;
        self.tainted = true;
    }

    pub(super) fn find(&mut self, finding: Finding) {
        self.found.push(finding);
        self.stops += 1;
    }

    pub(super) fn object(&mut self, reason: String, hint: Option<String>) {
        self.objection.get_or_insert((reason, hint));
        self.stops += 1;
    }
}
