//! Revisions, as the orchestrator looked at them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CommitId, Timestamp};

/// How a revision fared at the orchestrator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RevisionView {
    /// The commit.
    pub id: CommitId,
    /// When it was looked at.
    pub at: Timestamp,
    /// Whether it was accepted.
    pub verdict: Verdict,
    /// The first line of its message.
    pub subject: String,
    /// Who signed it, or why it was refused.
    pub detail: String,
    /// For how many hosts it made a new manifest.
    pub published: usize,
}

/// What the orchestrator thinks of a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Verdict {
    /// Every commit is signed, nothing is faulty.
    Verified,
    /// Signed, but with faults; sound environments go on.
    Faulty,
    /// Not signed as policy demands: nothing follows it.
    Rejected,
}
