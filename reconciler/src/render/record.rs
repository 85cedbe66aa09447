//! What a render lacks and finds on its way.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use muster_schema::HostId;
use muster_schema::secret::SecretName;
use serde::Serialize;

use super::Reads;
use crate::model::{Content, Finding};

/// What a render needs and does not have yet. It is no fault: the host waits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(untagged)]
pub enum Missing {
    /// A fact that has not been reported.
    Fact {
        /// The host that has not reported.
        host: HostId,
        /// The fact; none where any report would do.
        #[serde(skip_serializing_if = "Option::is_none")]
        fact: Option<&'static str>,
    },
    /// A secret that is not encrypted to the host.
    Recipient {
        /// The host that cannot read it.
        host: HostId,
        /// The secret.
        secret: SecretName,
    },
    /// A secret that can be encrypted to the host when its file names a recipient.
    NoRecipient {
        /// The host.
        unapproved: HostId,
        /// The secret.
        secret: SecretName,
    },
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Missing::Fact { host, fact: Some(fact) } => write!(f, "{fact} of {host}"),
            Missing::Fact { host, fact: None } => write!(f, "facts of {host}"),
            Missing::Recipient { secret, .. } => {
                write!(f, "the secret {secret}, which is not encrypted to it yet (run: muster secret rekey {secret})")
            }
            Missing::NoRecipient { unapproved: host, secret } => {
                write!(
                    f,
                    "the secret {secret}: the file of {host} names no recipient (run: muster host approve {host})"
                )
            }
        }
    }
}

/// What an evaluation depends on.
#[derive(Debug, Clone, Default)]
pub(super) struct Taint {
    /// Whether it has read a fact.
    pub(super) facts: bool,
    /// The documents with outputs that it has read.
    pub(super) documents: BTreeSet<Arc<str>>,
}

impl Taint {
    pub(super) fn add(&mut self, other: &Taint) {
        self.facts |= other.facts;
        self.documents.extend(other.documents.iter().cloned());
    }
}

/// The notes of one host's render.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    pub(super) reads: Reads,
    pub(super) missing: BTreeSet<Missing>,
    pub(super) found: Vec<Finding>,
    /// The blobs of texts with secrets in them.
    pub(super) blobs: Vec<Content>,
    /// Faults and waits so far; an evaluation during which it grew has no result.
    pub(super) stops: usize,
    /// What that which is being evaluated depends on.
    pub(super) taint: Taint,
    /// Which documents are known to have outputs, or none.
    pub(super) with_outputs: HashMap<Arc<str>, bool>,
    /// What a value of the scope objects to; placed by the evaluation that runs.
    pub(super) objection: Option<(String, Option<String>)>,
    /// The settings that are being evaluated, outermost first.
    pub(super) stack: Vec<String>,
}

impl Record {
    pub(super) fn miss(&mut self, missing: Missing) {
        self.taint.facts |= matches!(missing, Missing::Fact { .. });
        self.missing.insert(missing);
        self.stops += 1;
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
