//! What facts made of a host's content while its revision stayed the same.

use std::collections::VecDeque;
use std::time::Duration;

use muster_schema::{CommitId, Sha256Digest, Timestamp};

#[cfg(test)]
mod tests;

/// A content that goes A, B, A, B within this time goes round in a loop: what
/// the host has changes its facts, and those change what it is to have.
const LOOP_TIME: Duration = Duration::from_secs(10 * 60);

/// How many changes are remembered: those of A, B, A, B after the first A.
const KEPT: usize = 3;

/// The contents of one host at one revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DigestTrail {
    revision: CommitId,
    first: Sha256Digest,
    changes: VecDeque<(Timestamp, Sha256Digest)>,
    loops: bool,
}

impl DigestTrail {
    /// The trail of a host that has `first` at `revision`.
    pub(super) fn new(revision: CommitId, first: Sha256Digest) -> Self {
        DigestTrail { revision, first, changes: VecDeque::new(), loops: false }
    }

    /// Whether it is of this revision.
    pub(super) fn is_at(&self, revision: &CommitId) -> bool {
        self.revision == *revision
    }

    /// Whether it was found to loop: the host holds until its revision changes.
    pub(super) fn loops(&self) -> bool {
        self.loops
    }

    /// The content became `next`.
    pub(super) fn push(&mut self, next: Sha256Digest, now: Timestamp) {
        self.changes.push_back((now, next));
        if self.changes.len() > KEPT {
            self.first = self.changes.pop_front().map_or(self.first, |(_, content)| content);
        }
    }

    /// Whether a loop would be closed if the content became `next` at `now`.
    pub(super) fn would_loop(&self, next: Sha256Digest, now: Timestamp) -> bool {
        let mut back = self.changes.iter().rev();
        let (Some((_, now_has)), Some((since, had))) = (back.next(), back.next()) else { return false };
        let before = back.next().map_or(self.first, |(_, content)| content.to_owned());
        *had == next && before == *now_has && now.since(*since) <= LOOP_TIME
    }

    /// From now on the host holds.
    pub(super) fn set_loops(&mut self) {
        self.loops = true;
    }
}
