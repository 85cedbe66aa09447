//! Which of the facts that hosts are rendered from a status commit holds.

use std::collections::BTreeMap;

use git2::Oid;
use muster_schema::{CommitId, HostId};

use crate::render::Reads;

/// The newest status commit, and the hosts whose facts are newer.
#[derive(Debug, Default)]
pub(super) struct CommittedFacts {
    commit: Option<CommitId>,
    /// With the number of the message that brought the facts.
    newer: BTreeMap<HostId, u64>,
}

impl CommittedFacts {
    /// All facts are those of this status commit.
    pub(super) fn at(tip: Option<Oid>) -> Self {
        CommittedFacts { commit: tip.and_then(|tip| tip.to_string().parse().ok()), newer: BTreeMap::new() }
    }

    /// A host told other facts.
    pub(super) fn note(&mut self, host: &HostId, seq: u64) {
        self.newer.insert(host.clone(), seq);
    }

    /// What a status commit that is made now will hold.
    pub(super) fn newer(&self) -> BTreeMap<HostId, u64> {
        self.newer.clone()
    }

    /// The status branch is at `tip`, which holds `held` beside what it held before.
    pub(super) fn committed(&mut self, tip: Option<Oid>, held: &BTreeMap<HostId, u64>) {
        self.commit = tip.and_then(|tip| tip.to_string().parse().ok());
        self.newer.retain(|host, seq| held.get(host) != Some(seq));
    }

    /// The status commit that has every fact of a render: none where nothing
    /// was read that hosts report, or some of it is in no commit yet.
    pub(super) fn commit_of(&self, reads: &Reads) -> Option<CommitId> {
        let known =
            !reads.is_empty() && !reads.any_reported_by(|host| self.newer.contains_key(host), !self.newer.is_empty());
        self.commit.clone().filter(|_| known)
    }
}
