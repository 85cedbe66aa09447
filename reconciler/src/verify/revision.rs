//! What passed verification.

use std::sync::Arc;

use git2::Oid;
use muster_schema::CommitId;

use super::merge::MergeChanges;
use super::policy::SigningPolicy;

/// A commit of the state repository of which every new commit passed.
///
/// Only [`verify_commits`](super::verify_commits) makes one.
#[derive(Debug, Clone)]
pub struct VerifiedRevision {
    id: Oid,
    tree: Oid,
    anchor: Oid,
    commits: Vec<VerifiedCommit>,
    policy: Arc<SigningPolicy>,
}

impl VerifiedRevision {
    pub(super) fn new(
        id: Oid,
        tree: Oid,
        anchor: Oid,
        commits: Vec<VerifiedCommit>,
        policy: Arc<SigningPolicy>,
    ) -> Self {
        Self { id, tree, anchor, commits, policy }
    }

    /// The verified commit: the new anchor.
    pub fn id(&self) -> Oid {
        self.id
    }

    /// The verified commit, as documents and messages name it.
    pub fn revision(&self) -> CommitId {
        commit_id(self.id)
    }

    /// Its tree.
    pub fn tree(&self) -> Oid {
        self.tree
    }

    /// Who may do what from it on.
    pub fn policy(&self) -> &Arc<SigningPolicy> {
        &self.policy
    }

    /// The anchor from which it was verified.
    pub fn anchor(&self) -> Oid {
        self.anchor
    }

    /// Every commit after the anchor, parents before children; empty when
    /// the anchor itself was asked for.
    pub fn commits(&self) -> &[VerifiedCommit] {
        &self.commits
    }

    /// The commits that were `main` at some time, oldest first.
    pub fn mainline(&self) -> impl Iterator<Item = &VerifiedCommit> {
        self.commits.iter().filter(|commit| commit.on_mainline)
    }

    /// The messages whose trailers count, oldest first: of the mainline, never of a side branch, and none
    /// of a forge or of somebody with bounds, for what a trailer confirms has none.
    pub fn messages(&self) -> impl Iterator<Item = &str> {
        self.mainline().filter(|commit| !commit.by_forge && !commit.bounded).map(|commit| commit.message.as_str())
    }
}

/// One commit that passed.
#[derive(Debug, Clone)]
pub struct VerifiedCommit {
    /// The commit.
    pub id: Oid,
    /// Who signed it.
    pub signer: Signer,
    /// Whether that is a Git host, for nobody whom the policy knows.
    pub by_forge: bool,
    /// Whether what its signer may bring onto the mainline is bounded to some hosts or collections.
    pub bounded: bool,
    /// Its message. Text of a signer; unknown bytes are replaced.
    pub message: String,
    /// Whether it lies on the mainline, not in a branch merged into it.
    pub on_mainline: bool,
    /// What it holds beyond the automatic merge of its parents; nothing for
    /// a commit that merges nothing.
    pub merge: Option<MergeChanges>,
}

/// A listed signer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The principals that the policy lists for the key, as written there.
    pub principals: Vec<String>,
    /// SHA-256 fingerprint of the SSH key, as `ssh-keygen -l` prints it; or that of the
    /// OpenPGP certificate, in hexadecimal as `gpg --fingerprint` prints it.
    pub fingerprint: String,
}

/// The id of a commit as documents and messages write it.
pub fn commit_id(id: Oid) -> CommitId {
    let mut bytes = [0; 20];
    bytes.iter_mut().zip(id.as_bytes()).for_each(|(to, from)| *to = *from);
    CommitId::from_bytes(bytes)
}
