//! One line of the audit log.

use muster_schema::{Sha256Digest, Timestamp};
use serde::{Deserialize, Serialize};

/// The longest reason that is kept, in characters.
const LONGEST_REASON: usize = 500;

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It was done.
    Allow,
    /// It was not.
    Deny,
}

/// One thing that was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who: `token:NAME`; `local` for whoever asks from this machine where there are no tokens; `signer:PRINCIPAL` or
    /// a key's fingerprint for commits; `host:ID`, `key:FINGERPRINT` or an address for agents.
    pub who: String,
    /// What: method and path of a request, `push`, or a step of enrolment.
    pub action: String,
    /// Of which hosts: an id, ids, or a selector.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hosts: String,
    /// Which commits: `ID` or `ANCHOR..TIP`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub commits: String,
    /// What was decided.
    pub decision: Decision,
    /// Why, in one stable word.
    #[serde(default)]
    pub code: String,
    /// Why, for people, where the code does not say it all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// How many of this kind were not written down since the last one that was.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unwritten: u64,
}

impl AuditEntry {
    /// An entry that is about no host and no commit in particular.
    pub fn new(
        at: Timestamp,
        who: impl Into<String>,
        action: impl Into<String>,
        decision: Decision,
        code: impl Into<String>,
    ) -> Self {
        AuditEntry {
            at,
            who: who.into(),
            action: action.into(),
            hosts: String::new(),
            commits: String::new(),
            decision,
            code: code.into(),
            reason: String::new(),
            unwritten: 0,
        }
    }

    /// The same for this reason, cut to a bearable length.
    #[must_use]
    pub fn because(mut self, reason: &str) -> Self {
        self.reason = reason.chars().take(LONGEST_REASON).collect();
        self
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A line of the log.
#[derive(Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) prev: Sha256Digest,
    /// Of the first line of a segment that is not the first: how many lines come before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<u64>,
    #[serde(flatten)]
    pub(super) entry: AuditEntry,
}

/// The line, without its end, that says `entry` after the line whose digest is `prev`. One that begins a segment says
/// `after` how many lines it comes.
///
/// # Errors
/// Never for an entry that serialises; the error is serde's.
pub fn chained_line(prev: Sha256Digest, after: Option<u64>, entry: AuditEntry) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Line { prev, after, entry })
}
