//! Whether enough people have approved what a mainline commit changes.

use std::collections::{BTreeSet, HashSet};

use git2::{Oid, Repository};
use muster_schema::document::Verb;

use super::approval::load_approvals;
use super::display::display_text;
use super::fault::CommitFault;
use super::people::People;
use super::policy::SigningPolicy;
use super::revision::Signer;
use super::terms::Terms;
use crate::policy::ApprovalThreshold;

/// A mainline commit and who made it.
pub(super) struct Approved<'a> {
    /// The commit of a branch that it takes in; nothing for a commit that takes in none, or several.
    pub(super) merged: Option<Oid>,
    /// The paths that differ from the mainline before.
    pub(super) changed: &'a [String],
    /// Those for which the commit itself answers: nobody has seen them in the branch.
    pub(super) written: &'a BTreeSet<String>,
    /// Who signed it, and the commits that it brings.
    pub(super) authors: &'a [&'a Signer],
}

/// Checks every threshold of every path that changed.
pub(super) fn check_thresholds(
    repo: &Repository,
    commit: &Approved<'_>,
    policy: &SigningPolicy,
    terms: &Terms<'_>,
) -> Result<(), CommitFault> {
    let guarded = || commit.changed.iter().filter(|path| policy.access.thresholds(path).next().is_some());
    if guarded().next().is_none() {
        return Ok(());
    }
    let missing = |path: &str, threshold: &ApprovalThreshold, has, notes| CommitFault::ApprovalsMissing {
        path: display_text(path.as_bytes()),
        needs: threshold.needs,
        has,
        line: threshold.line,
        merged: commit.merged,
        notes,
        policy: policy.commit,
    };
    let by_hand = guarded().find(|path| commit.merged.is_none() || commit.written.contains(*path));
    if let Some(path) = by_hand
        && let Some(threshold) = policy.access.thresholds(path).next()
    {
        let notes = match commit.merged {
            Some(_) => {
                format!("; the merge changes '{}' itself, which nobody has approved", display_text(path.as_bytes()))
            }
            None => String::new(),
        };
        return Err(missing(path, threshold, 0, notes));
    }
    let Some(merged) = commit.merged else { return Ok(()) };
    let approvals = load_approvals(repo, merged, policy, terms)?;
    let people = People::of(policy);
    let authors: HashSet<usize> =
        commit.authors.iter().filter_map(|signer| people.person(&signer.principals)).collect();
    let approvers: Vec<(&Signer, usize)> =
        approvals.iter().flatten().filter_map(|signer| Some((signer, people.person(&signer.principals)?))).collect();
    for path in guarded() {
        for threshold in policy.access.thresholds(path) {
            let counts = |(signer, person): &&(&Signer, usize)| {
                let granted = policy.access.grant(&signer.principals, Verb::Approve).covers(path);
                granted && (threshold.author_counts || !authors.contains(person))
            };
            let has: HashSet<usize> = approvers.iter().filter(counts).map(|(_, person)| *person).collect();
            if has.len() < threshold.needs {
                let others = approvers.iter().filter(|approver| !counts(approver)).map(|(signer, person)| {
                    let why = if authors.contains(person) { "made the change" } else { "may not approve it" };
                    format!("; {} {why}", display_text(signer.principals.join(",").as_bytes()))
                });
                let faulty = approvals.iter().filter_map(|approval| approval.as_ref().err());
                let faulty = faulty.map(|(key, fault)| format!("; the approval by {key} does not count: {fault}"));
                let notes: Vec<String> = others.chain(faulty).take(5).collect();
                return Err(missing(path, threshold, has.len(), notes.concat()));
            }
        }
    }
    Ok(())
}
