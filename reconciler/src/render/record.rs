//! What a render lacks and finds on its way.

use std::collections::BTreeSet;
use std::fmt;

use muster_schema::HostId;
use serde::Serialize;

use super::Reads;
use crate::model::Finding;

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
