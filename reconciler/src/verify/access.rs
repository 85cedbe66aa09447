//! Whether the signer of a commit may have made its changes, by the access policy of the mainline.

use std::collections::BTreeSet;

use git2::{Commit, Oid, Repository};
use muster_schema::document::Verb;

use super::display::display_text;
use super::effects::{Answer, EffectJudge};
use super::fault::CommitFault;
use super::forge::{check_clean_merge, check_merge_right};
use super::merge::MergeChanges;
use super::policy::SigningPolicy;
use super::revision::{Signer, VerifiedCommit};
use super::terms::Terms;
use super::threshold::{Approved, check_thresholds};
use super::tree_diff::changed_paths;
use crate::policy::{Decision, Grant};

/// Judges a commit of a side branch: its signer may write whatever it changes, and bring about what follows of it;
/// a forge changes nothing. `before` is where the mainline was.
pub(super) fn check_side_commit(
    repo: &Repository,
    commit: &VerifiedCommit,
    before: Oid,
    policy: &SigningPolicy,
    terms: &Terms<'_>,
) -> Result<(), CommitFault> {
    let judge = Judge { commit, policy };
    if judge.grant(Verb::Write).covers_everything() {
        return Ok(());
    }
    let object = repo.find_commit(commit.id).map_err(unreadable(commit.id))?;
    let written = written_paths(repo, &object, commit.merge.as_ref())?;
    judge.check_written(&written)?;
    check_own_effects(commit, &object, &written, &EffectJudge { policy, before, terms })
}

/// Judges what a commit itself brings about: what differs from every one of its parents.
fn check_own_effects(
    commit: &VerifiedCommit,
    object: &Commit<'_>,
    written: &BTreeSet<String>,
    effects: &EffectJudge<'_>,
) -> Result<(), CommitFault> {
    let paths = written.iter().map(String::as_str).collect();
    let answer = Answer { verb: Verb::Write, who: vec![&commit.signer], paths };
    effects.check(&[answer], &object.parent_ids().collect::<Vec<_>>(), commit.id)
}

/// Where the mainline was, and who brings it on.
pub(super) struct MainlineBefore<'a> {
    /// The mainline commit before.
    pub(super) before: Oid,
    /// Its tree.
    pub(super) tree: Oid,
    /// The commits of side branches that the step brings.
    pub(super) side: &'a [VerifiedCommit],
}

/// Judges a commit of the mainline. Who puts changes there may merge them, and may write what the
/// commit brings itself; and where the policy asks for it, others have approved them.
pub(super) fn check_mainline_commit(
    repo: &Repository,
    commit: &VerifiedCommit,
    step: &MainlineBefore<'_>,
    policy: &SigningPolicy,
    terms: &Terms<'_>,
) -> Result<(), CommitFault> {
    let judge = Judge { commit, policy };
    let everything = |verb| judge.grant(verb).covers_everything();
    if everything(Verb::Write) && everything(Verb::Merge) && policy.access.approvals.is_empty() {
        return Ok(());
    }
    let object = repo.find_commit(commit.id).map_err(unreadable(commit.id))?;
    let changed = changed_paths(repo, Some(step.tree), Some(object.tree_id()))?;
    let written = match &commit.merge {
        Some(merge) => written_paths(repo, &object, Some(merge))?,
        None => changed.iter().cloned().collect(),
    };
    judge.check_written(&written)?;
    let parents: Vec<Oid> = object.parent_ids().collect();
    let merged = match parents[..] {
        [one, other] if one == step.before => Some(other),
        [one, other] if other == step.before => Some(one),
        _ => None,
    };
    let mergers = if commit.by_forge {
        check_merge_right(repo, commit, (merged, step.side), &changed, policy, terms)?
    } else {
        // Also without a change it may say something, in a trailer.
        if changed.is_empty() && !judge.grant(Verb::Merge).is_any() {
            return Err(judge.denied(Verb::Merge, "", 0));
        }
        judge.check(Verb::Merge, &changed)?;
        vec![vec![commit.signer.clone()]]
    };
    let authors: Vec<&Signer> = step.side.iter().chain([commit]).map(|commit| &commit.signer).collect();
    let effects = EffectJudge { policy, before: step.before, terms };
    let paths: Vec<&str> = changed.iter().map(String::as_str).collect();
    let mut answers = vec![Answer { verb: Verb::Write, who: authors.clone(), paths: paths.clone() }];
    answers.extend(mergers.iter().map(|who| Answer {
        verb: Verb::Merge,
        who: who.iter().collect(),
        paths: paths.clone(),
    }));
    effects.check(&answers, &[step.before], commit.id)?;
    if commit.merge.is_some() {
        check_own_effects(commit, &object, &written, &effects)?;
    }
    check_thresholds(repo, &Approved { merged, changed: &changed, written: &written, authors: &authors }, policy, terms)
}

/// The paths for which a commit itself answers. A merge does for what is not its automatic merge; the
/// rest is judged where it was written.
fn written_paths(
    repo: &Repository,
    commit: &Commit<'_>,
    merge: Option<&MergeChanges>,
) -> Result<BTreeSet<String>, CommitFault> {
    let tree = Some(commit.tree_id());
    let Some(merge) = merge else {
        let before = match commit.parent_count() {
            0 => None,
            _ => Some(commit.parent(0).map_err(unreadable(commit.id()))?.tree_id()),
        };
        return Ok(changed_paths(repo, before, tree)?.into_iter().collect());
    };
    let mut written = merge.paths.clone();
    let parents: Vec<Commit<'_>> = commit.parents().collect();
    if let [ours, theirs] = &parents[..] {
        // An automatic merge follows renamed files, and so takes a change to a path that its author
        // never wrote. Where both had the file they were judged at this path.
        let from_ours: BTreeSet<String> = changed_paths(repo, Some(ours.tree_id()), tree)?.into_iter().collect();
        let from_theirs = changed_paths(repo, Some(theirs.tree_id()), tree)?;
        let in_both = |path: &str| [ours, theirs].iter().all(|parent| has_file(parent, path));
        written.extend(from_theirs.into_iter().filter(|path| from_ours.contains(path) && !in_both(path)));
    }
    Ok(written)
}

fn has_file(commit: &Commit<'_>, path: &str) -> bool {
    commit.tree().is_ok_and(|tree| tree.get_path(path.as_ref()).is_ok())
}

fn unreadable(id: Oid) -> impl FnOnce(git2::Error) -> CommitFault {
    move |source| CommitFault::Unreadable { id, source }
}

struct Judge<'a> {
    commit: &'a VerifiedCommit,
    policy: &'a SigningPolicy,
}

impl<'a> Judge<'a> {
    fn grant(&self, verb: Verb) -> Grant<'a> {
        self.policy.access.grant(&self.commit.signer.principals, verb)
    }

    fn check_written(&self, written: &BTreeSet<String>) -> Result<(), CommitFault> {
        if self.commit.by_forge { check_clean_merge(self.commit, written) } else { self.check(Verb::Write, written) }
    }

    fn check<'p>(&self, verb: Verb, paths: impl IntoIterator<Item = &'p String>) -> Result<(), CommitFault> {
        let granted = self.grant(verb);
        let mut denied = paths.into_iter().filter(|path| !granted.covers(path));
        match denied.next() {
            None => Ok(()),
            Some(first) => Err(self.denied(verb, first, denied.count())),
        }
    }

    fn denied(&self, verb: Verb, path: &str, more: usize) -> CommitFault {
        let principals = &self.commit.signer.principals;
        let why = match self.policy.access.allows(principals, verb, path) {
            Decision::Denied(denial) => denial.to_string(),
            Decision::Allowed(rule) => rule.to_string(),
        };
        CommitFault::NotAllowed {
            who: display_text(principals.join(",").as_bytes()),
            verb,
            path: display_text(path.as_bytes()),
            more,
            why,
            policy: self.policy.commit,
        }
    }
}
