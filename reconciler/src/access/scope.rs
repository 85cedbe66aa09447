//! What a token may do.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One kind of request. None includes another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Read what the orchestrator knows: hosts, revisions, events, metrics, the status page.
    Read,
    /// Ask agents what their hosts have now.
    Query,
    /// Have agents plan or converge.
    Act,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Scope::Read => "read",
            Scope::Query => "query",
            Scope::Act => "act",
        })
    }
}
