//! A refused push: every commit that has a fault, and where the anchor stays.

use std::borrow::Cow;
use std::fmt;

use git2::Oid;

use super::fault::CommitFault;

/// A step that was refused as a whole. The anchor stays where it was.
#[derive(Debug)]
pub struct Rejection {
    /// The last verified commit, still in force.
    pub anchor: Oid,
    /// The tip that was offered.
    pub offered: Oid,
    /// The refused commits, oldest first, at least one. Commits after the
    /// first are judged as if it had passed, so that a person sees all faults.
    pub commits: Vec<RefusedCommit>,
    /// Refused commits beyond those listed.
    pub unlisted: usize,
}

/// One refused commit.
#[derive(Debug)]
pub struct RefusedCommit {
    /// The commit.
    pub id: Oid,
    /// Why.
    pub fault: CommitFault,
}

impl Rejection {
    pub(super) fn one(anchor: Oid, offered: Oid, id: Oid, fault: CommitFault) -> Self {
        Self { anchor, offered, commits: vec![RefusedCommit { id, fault }], unlisted: 0 }
    }

    /// The stable code of the oldest refused commit's fault.
    pub fn code(&self) -> &'static str {
        self.commits.first().map_or("Refused", |commit| commit.fault.code())
    }

    /// What the author of the oldest refused commit can do.
    pub fn hint(&self) -> Option<Cow<'static, str>> {
        self.commits.first().and_then(|commit| commit.fault.hint())
    }

    /// Whether the same push may pass when tried again: only unreadable
    /// objects are at fault.
    pub fn may_pass_later(&self) -> bool {
        self.unlisted == 0 && self.commits.iter().all(|commit| commit.fault.may_pass_later())
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.commits.first() {
            Some(first) => write!(f, "commit {} refused: {}", first.id, first.fault)?,
            None => write!(f, "commit {} refused", self.offered)?,
        }
        match self.commits.len().saturating_sub(1) + self.unlisted {
            0 => Ok(()),
            more => write!(f, " (and {more} more refused commits)"),
        }
    }
}

impl std::error::Error for Rejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.commits.first().and_then(|commit| commit.fault.source())
    }
}
