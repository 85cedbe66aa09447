//! Which changes stand only when the orchestrator is reached after them.

use super::{Purpose, Target};
use crate::host::Scope;
use crate::ledger::Entry;
use crate::resource::is_risky;
use muster_schema::resource::Resource;
use muster_schema::{Address, Sha256Digest};
use std::collections::BTreeMap;
use std::time::Duration;

/// What is needed to tell it in words.
#[derive(Debug, Clone, Copy)]
pub struct ContactRule<'a> {
    /// How soon the orchestrator is to be reached; `None`: it does not matter.
    pub within: Option<Duration>,
    /// What makes sense here.
    pub scope: Scope,
    /// What the agent owns.
    pub ledger: &'a BTreeMap<Address, Entry>,
}

impl ContactRule<'_> {
    /// How soon the orchestrator is to be reached after a change of this target, if it is.
    pub fn asked_within(&self, target: &Target) -> Option<Duration> {
        self.within.filter(|_| asks_for_contact(target, self.ledger.get(target.address()), self.scope))
    }
}

/// Whether a change of it stands only when the orchestrator is reached: it is risky, and did not stand the test yet.
pub(crate) fn asks_for_contact(target: &Target, entry: Option<&Entry>, scope: Scope) -> bool {
    let proven = || entry.and_then(|entry| entry.proven) == Some(digest_of(&target.resource));
    let risky = || target.resource.meta.risky.unwrap_or_else(|| is_risky(&target.resource));
    !scope.sandbox && risky() && (target.purpose == Purpose::Leave || !proven())
}

/// What proves a resource: any other attribute makes it another one.
pub(crate) fn digest_of(resource: &Resource) -> Sha256Digest {
    Sha256Digest::of(&serde_json::to_vec(resource).unwrap_or_default())
}
