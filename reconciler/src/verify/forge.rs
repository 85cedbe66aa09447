//! Merges by a forge: a Git host with a key of its own, on whose page somebody pressed a button.
//!
//! Who pressed it is not known. So the merge may hold nothing but what was signed, and the right to
//! merge is that of people who signed for all of it: the newest commit of the branch, or its approval.

use std::collections::{BTreeSet, HashMap};

use git2::{Oid, Repository};
use muster_schema::document::Verb;

use super::approval::load_approvals;
use super::display::display_text;
use super::fault::CommitFault;
use super::policy::SigningPolicy;
use super::revision::{Signer, VerifiedCommit};
use super::terms::Terms;

/// Refuses a commit by a forge that is not the automatic merge of two parents. `written` are the
/// paths for which the commit itself answers.
pub(super) fn check_clean_merge(commit: &VerifiedCommit, written: &BTreeSet<String>) -> Result<(), CommitFault> {
    let reason = match (&commit.merge, written.first()) {
        (None, _) => "it merges nothing".to_owned(),
        (Some(merge), _) if merge.parents > 2 => format!("it has {} parents", merge.parents),
        (Some(_), Some(path)) => {
            let path = display_text(path.as_bytes());
            format!("it changes '{path}', which the automatic merge of its parents leaves, or takes to another name")
        }
        (Some(_), None) => return Ok(()),
    };
    Err(not_clean(commit, reason))
}

/// Checks that the branch whose newest commit is `merged` may be put on the mainline, where that
/// changes these paths: one of the people who signed for all of it may merge there. Gives by whose right it comes:
/// each signer of a newest commit, with those who approved it.
pub(super) fn check_merge_right(
    repo: &Repository,
    commit: &VerifiedCommit,
    branch: (Option<Oid>, &[VerifiedCommit]),
    changed: &[String],
    policy: &SigningPolicy,
    terms: &Terms<'_>,
) -> Result<Vec<Vec<Signer>>, CommitFault> {
    let side: HashMap<Oid, &VerifiedCommit> = branch.1.iter().map(|commit| (commit.id, commit)).collect();
    let nothing = || not_clean(commit, "it brings no commit that somebody signed".to_owned());
    let merged = branch.0.ok_or_else(nothing)?;
    let newest = newest_signers(repo, merged, side)?;
    if newest.is_empty() {
        return Err(nothing());
    }
    let may = |signer: &Signer, path: Option<&str>| {
        let granted = policy.access.grant(&signer.principals, Verb::Merge);
        path.map_or(granted.is_any(), |path| granted.covers(path))
    };
    let by_signers = |path| newest.iter().all(|signer| may(signer, path));
    // Also without a change somebody has to have the right.
    let paths = changed.iter().map(|path| Some(path.as_str()));
    let paths: Vec<Option<&str>> = if changed.is_empty() { vec![None] } else { paths.collect() };
    let left: Vec<Option<&str>> = paths.into_iter().filter(|path| !by_signers(*path)).collect();
    let approvals = load_approvals(repo, merged, policy, terms)?;
    let mut left = left.into_iter().filter(|path| !approvals.iter().flatten().any(|signer| may(signer, *path)));
    let Some(first) = left.next() else {
        let with_approvers =
            |signer: &Signer| [signer].into_iter().chain(approvals.iter().flatten()).cloned().collect();
        return Ok(newest.iter().map(with_approvers).collect());
    };
    let names: BTreeSet<String> = newest.iter().map(|signer| signer.principals.join(",")).collect();
    Err(CommitFault::ForgeMergeNotAllowed {
        who: display_text(names.into_iter().collect::<Vec<_>>().join(" and ").as_bytes()),
        path: display_text(first.unwrap_or_default().as_bytes()),
        more: left.count(),
        merged,
        policy: policy.commit,
    })
}

/// Who signed the newest commit of a branch; where that is a forge's own merge, the newest ones below
/// it. A signature covers all that a commit descends from.
fn newest_signers(
    repo: &Repository,
    merged: Oid,
    mut side: HashMap<Oid, &VerifiedCommit>,
) -> Result<Vec<Signer>, CommitFault> {
    let mut signers = Vec::new();
    let mut pending = vec![merged];
    while let Some(id) = pending.pop() {
        // What is not of the branch was on the mainline before.
        let Some(commit) = side.remove(&id) else { continue };
        if commit.by_forge {
            let object = repo.find_commit(id).map_err(|source| CommitFault::Unreadable { id, source })?;
            pending.extend(object.parent_ids());
        } else {
            signers.push(commit.signer.clone());
        }
    }
    Ok(signers)
}

fn not_clean(commit: &VerifiedCommit, reason: String) -> CommitFault {
    CommitFault::ForgeNotCleanMerge { who: display_text(commit.signer.principals.join(",").as_bytes()), reason }
}
