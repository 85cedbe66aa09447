//! Orders the commits between anchor and tip, and tells the mainline from
//! the branches that were merged into it.

use std::collections::{HashMap, HashSet};

use git2::{Oid, Repository, Sort};

use super::fault::CommitFault;
use super::limits::MAX_COMMITS;

/// One step of the mainline, judged by the policy of the mainline commit
/// before it.
#[derive(Debug)]
pub(super) struct MainlineStep {
    /// The commits that this step brings from side branches, oldest first.
    pub(super) side: Vec<Oid>,
    /// The mainline commit itself.
    pub(super) commit: Oid,
}

/// Splits `anchor..tip` into mainline steps, oldest first. Every commit of
/// the range is in exactly one step.
///
/// The mainline parent of a commit is its first parent that is the anchor or
/// descends from it. So a merge made by `git pull`, which has the old `main`
/// as its second parent, is judged like any other merge.
pub(super) fn order_history(repo: &Repository, anchor: Oid, tip: Oid) -> Result<Vec<MainlineStep>, CommitFault> {
    let unreadable = |source| CommitFault::Unreadable { id: tip, source };
    let mut walk = repo.revwalk().map_err(unreadable)?;
    walk.set_sorting(Sort::TOPOLOGICAL | Sort::REVERSE).map_err(unreadable)?;
    walk.push(tip).map_err(unreadable)?;
    walk.hide(anchor).map_err(unreadable)?;

    // Oldest first: parents are known before their children.
    let mut order = Vec::new();
    let mut parents: HashMap<Oid, Vec<Oid>> = HashMap::new();
    let mut descends: HashSet<Oid> = HashSet::from([anchor]);
    for id in walk {
        let id = id.map_err(unreadable)?;
        if order.len() == MAX_COMMITS {
            return Err(CommitFault::TooManyCommits { limit: MAX_COMMITS });
        }
        let commit = repo.find_commit(id).map_err(|source| CommitFault::Unreadable { id, source })?;
        let its_parents: Vec<Oid> = commit.parent_ids().collect();
        if its_parents.iter().any(|parent| descends.contains(parent)) {
            descends.insert(id);
        }
        order.push(id);
        parents.insert(id, its_parents);
    }
    if !descends.contains(&tip) {
        return Err(CommitFault::NotDescendant { anchor });
    }

    let mut mainline = Vec::new();
    let mut at = tip;
    while at != anchor {
        let parent = parents.get(&at).and_then(|all| all.iter().find(|parent| descends.contains(parent)));
        let parent = *parent.ok_or(CommitFault::NotDescendant { anchor })?;
        mainline.push(at);
        at = parent;
    }
    mainline.reverse();
    Ok(assign_side_commits(&order, &parents, &mainline))
}

/// Gives each side commit to the oldest mainline step that reaches it.
fn assign_side_commits(order: &[Oid], parents: &HashMap<Oid, Vec<Oid>>, mainline: &[Oid]) -> Vec<MainlineStep> {
    let mut step_of: HashMap<Oid, usize> = HashMap::new();
    for (index, &commit) in mainline.iter().enumerate() {
        step_of.insert(commit, index);
        let mut pending: Vec<Oid> = parents.get(&commit).cloned().unwrap_or_default();
        while let Some(id) = pending.pop() {
            // Commits outside the range are ancestors of the anchor.
            if let Some(its_parents) = parents.get(&id)
                && !step_of.contains_key(&id)
            {
                step_of.insert(id, index);
                pending.extend(its_parents);
            }
        }
    }
    let mut steps: Vec<MainlineStep> =
        mainline.iter().map(|&commit| MainlineStep { side: Vec::new(), commit }).collect();
    for id in order {
        if let Some(step) = step_of.get(id).and_then(|&index| steps.get_mut(index))
            && step.commit != *id
        {
            step.side.push(*id);
        }
    }
    steps
}
