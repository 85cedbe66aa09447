//! What is about to be done.

use crate::resource::{Change, Reaction};
use muster_schema::Address;
use muster_schema::state::Cause;
use serde::{Deserialize, Serialize};

/// Written down before a change, removed with its outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The resource.
    pub address: Address,
    /// The change. Before a change that is to be confirmed, `before` is complete.
    pub change: Change,
    /// Why.
    pub cause: Cause,
    /// Who is to react when it was made.
    pub reactions: Vec<(Address, Reaction)>,
    /// Whether the change stands only after its `confirm` succeeded.
    pub unconfirmed: bool,
}

/// All intents of one stage are one record.
pub(super) const INTENTS_KEY: &str = "intents";
