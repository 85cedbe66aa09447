//! The verification of one step: anchor to tip.

use std::sync::Arc;

use git2::{ObjectType, Oid, Repository};
use muster_schema::Timestamp;
use muster_schema::document::Verb;

use super::access::{MainlineBefore, check_mainline_commit, check_side_commit};
use super::commit_object::{CommitObject, parse_commit};
use super::fault::CommitFault;
use super::history::order_history;
use super::limits::{MAX_COMMIT_BYTES, MAX_LISTED_FAULTS};
use super::lockout::check_somebody_left;
use super::merge::compare_merge;
use super::policy::{PolicyBlobs, SigningPolicy, load_signing_policy, policy_blobs};
use super::rejection::{RefusedCommit, Rejection};
use super::revision::{VerifiedCommit, VerifiedRevision};
use super::signature::verify_commit_signature;
use super::terms::Terms;
use super::tree::TreeChecker;

/// Verifies every commit that `offered` has and `anchor` has not.
///
/// `anchor` is the last verified commit, or the one that the operator pinned;
/// it is trusted by its id, but must have a usable policy and a safe tree.
/// The result stands under `terms`: keys are judged at the time of receipt.
/// With `offered == anchor` this only checks the anchor itself.
///
/// The caller moves its anchor to the result, and only to a result.
pub fn verify_commits(
    repo: &Repository,
    anchor: Oid,
    offered: Oid,
    terms: &Terms<'_>,
) -> Result<VerifiedRevision, Rejection> {
    verify_range(repo, anchor, offered, terms, false)
}

/// [`verify_commits`] from a revision that this program verified: what it has in
/// common with the new one is not looked at again.
pub fn verify_commits_after(
    repo: &Repository,
    verified: &VerifiedRevision,
    offered: Oid,
    terms: &Terms<'_>,
) -> Result<VerifiedRevision, Rejection> {
    verify_range(repo, verified.id(), offered, terms, true)
}

fn verify_range(
    repo: &Repository,
    anchor: Oid,
    offered: Oid,
    terms: &Terms<'_>,
    anchor_passed: bool,
) -> Result<VerifiedRevision, Rejection> {
    let refuse = |id, fault| Rejection::one(anchor, offered, id, fault);

    let mut checks = Checks::new(repo, terms.receipt)
        .map_err(|source| refuse(anchor, CommitFault::Unreadable { id: anchor, source }))?;
    let anchor_tree = checks.tree_of(anchor).map_err(|fault| refuse(anchor, fault))?;
    let trees = &mut checks.trees;
    let checked = if anchor_passed { trees.learn_tree(anchor_tree) } else { trees.check_tree(anchor_tree) };
    checked.map_err(|fault| refuse(anchor, fault))?;
    let mut policy = checks.load_policy(anchor, anchor_tree, None).map_err(|fault| refuse(anchor, fault))?;
    read_commit(repo, offered).map_err(|fault| refuse(offered, fault))?;
    let steps = order_history(repo, anchor, offered).map_err(|fault| refuse(offered, fault))?;

    let (mut before, mut tree) = (anchor, anchor_tree);
    let mut passed = Vec::new();
    let mut refused: Vec<RefusedCommit> = Vec::new();
    for step in &steps {
        let first = passed.len();
        for &id in &step.side {
            let judged = checks.check_commit(id, &policy).and_then(|commit| {
                check_side_commit(repo, &commit, before, &policy, terms)?;
                Ok(commit)
            });
            match judged {
                Ok(commit) => passed.push(commit),
                Err(fault) => refused.push(RefusedCommit { id, fault }),
            }
        }
        let judged = checks.check_commit(step.commit, &policy).and_then(|commit| {
            let side = passed.get(first..).unwrap_or_default();
            check_mainline_commit(repo, &commit, &MainlineBefore { before, tree, side }, &policy, terms)?;
            Ok(commit)
        });
        match judged {
            Ok(commit) => passed.push(VerifiedCommit { on_mainline: true, ..commit }),
            Err(fault) => refused.push(RefusedCommit { id: step.commit, fault }),
        }
        // Without a policy nothing after this commit can be judged.
        let next = checks.tree_of(step.commit).and_then(|next| {
            (before, tree) = (step.commit, next);
            checks.load_policy(step.commit, next, Some(&policy))
        });
        match next {
            Ok(next) => policy = next,
            Err(fault) => {
                if refused.last().is_none_or(|last| last.id != step.commit) {
                    refused.push(RefusedCommit { id: step.commit, fault });
                }
                break;
            }
        }
    }
    if refused.is_empty() {
        return Ok(VerifiedRevision::new(offered, tree, anchor, passed, policy));
    }
    let unlisted = refused.len().saturating_sub(MAX_LISTED_FAULTS);
    refused.truncate(MAX_LISTED_FAULTS);
    Err(Rejection { anchor, offered, commits: refused, unlisted })
}

/// What the checks of one step share.
struct Checks<'repo> {
    repo: &'repo Repository,
    receipt: Timestamp,
    trees: TreeChecker<'repo>,
    /// The blobs behind the policy that was loaded last.
    policy_blobs: Option<PolicyBlobs>,
}

impl<'repo> Checks<'repo> {
    fn new(repo: &'repo Repository, receipt: Timestamp) -> Result<Self, git2::Error> {
        Ok(Self { repo, receipt, trees: TreeChecker::new(repo)?, policy_blobs: None })
    }

    /// Signature and content of one commit, by `policy`; as if it lay on a side branch.
    fn check_commit(&mut self, id: Oid, policy: &SigningPolicy) -> Result<VerifiedCommit, CommitFault> {
        let commit = read_commit(self.repo, id)?;
        let Some(signature) = &commit.signature else {
            return Err(CommitFault::Unsigned { merge: commit.parents > 1 });
        };
        let signer = verify_commit_signature(&commit.payload, signature, policy, self.receipt)?;
        self.trees.check_tree(self.tree_of(id)?)?;
        let merge = compare_merge(self.repo, id).map_err(|source| CommitFault::Unreadable { id, source })?;
        let by_forge = policy.access.is_forge(&signer.principals);
        let bounded = policy.access.grant(&signer.principals, Verb::Merge).is_bounded();
        Ok(VerifiedCommit { id, signer, by_forge, bounded, message: commit.message, on_mainline: false, merge })
    }

    fn tree_of(&self, id: Oid) -> Result<Oid, CommitFault> {
        let commit = self.repo.find_commit(id).map_err(|source| CommitFault::Unreadable { id, source })?;
        Ok(commit.tree_id())
    }

    /// The policy of `commit`; parsed again only when its files changed.
    fn load_policy(
        &mut self,
        commit: Oid,
        tree: Oid,
        before: Option<&Arc<SigningPolicy>>,
    ) -> Result<Arc<SigningPolicy>, CommitFault> {
        let blobs = policy_blobs(self.repo, tree);
        if let Some(before) = before
            && blobs.is_some()
            && blobs == self.policy_blobs
        {
            return Ok(Arc::clone(before));
        }
        let policy = load_signing_policy(self.repo, commit, tree, self.receipt)?;
        if before.is_some() {
            check_somebody_left(&policy, self.receipt)?;
        }
        self.policy_blobs = blobs;
        Ok(Arc::new(policy))
    }
}

/// Reads a commit object, within bounds.
pub(super) fn read_commit(repo: &Repository, id: Oid) -> Result<CommitObject, CommitFault> {
    let unreadable = |source| CommitFault::Unreadable { id, source };
    let odb = repo.odb().map_err(unreadable)?;
    let (size, kind) = odb.read_header(id).map_err(unreadable)?;
    if kind != ObjectType::Commit {
        return Err(CommitFault::Malformed { reason: "it is no commit" });
    }
    if size > MAX_COMMIT_BYTES {
        return Err(CommitFault::Malformed { reason: "it is too large" });
    }
    parse_commit(odb.read(id).map_err(unreadable)?.data())
}
