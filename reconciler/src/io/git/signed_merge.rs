//! Merges made and signed in-process.

use git2::{Oid, Repository};

use super::error::GitError;
use super::signed_commit::{
    CommitAuthor, CommitSigner, check_clean, is_checked_out, move_reference, store_signed_commit, update_work_tree,
};
use crate::verify::{changed_paths, conflicting_paths, merge_automatically};

/// Stores the automatic merge of `theirs` into `ours`, as a judgement recomputes it; no reference moves.
///
/// # Errors
/// [`GitError::Conflict`] where both change the same.
pub fn store_merge(
    repo: &Repository,
    ours: Oid,
    theirs: Oid,
    message: &str,
    author: &CommitAuthor,
    signer: &dyn CommitSigner,
) -> Result<Oid, GitError> {
    let read = GitError::read("the commits to merge");
    let mut merged = merge_automatically(repo, ours, theirs).map_err(read)?;
    let conflicts = conflicting_paths(&merged).map_err(GitError::read("the merge"))?;
    if !conflicts.is_empty() {
        return Err(GitError::Conflict {
            paths: conflicts.iter().map(|path| path.escape_debug().to_string()).collect(),
        });
    }
    let tree = merged.write_tree_to(repo).map_err(GitError::write("the merge"))?;
    let find = |id| repo.find_commit(id).map_err(GitError::read("the commits to merge"));
    store_signed_commit(repo, tree, &[&find(ours)?, &find(theirs)?], message, author, signer)
}

/// Moves `branch` from `from` to `to`, and the files of a work tree that has it checked out.
///
/// # Errors
/// [`GitError::Moved`] when the branch is not at `from`, and [`GitError::Dirty`] where a file that
/// would change has uncommitted changes; then nothing happened.
pub fn advance_branch(repo: &Repository, branch: &str, from: Oid, to: Oid, message: &str) -> Result<(), GitError> {
    let reference = format!("refs/heads/{branch}");
    let tree = |id| repo.find_commit(id)?.tree();
    let differ = |from, to| repo.diff_tree_to_tree(Some(&tree(from)?), Some(&tree(to)?), None);
    let diff = differ(from, to).map_err(GitError::read("the merge"))?;
    let paths = changed_paths(&diff);
    let in_work_tree = is_checked_out(repo, &reference);
    if in_work_tree {
        check_clean(repo, paths.iter())?;
    }
    move_reference(repo, &reference, Some(from), to, message)?;
    if in_work_tree { update_work_tree(repo, paths.iter()) } else { Ok(()) }
}
