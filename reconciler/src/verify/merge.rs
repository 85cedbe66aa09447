//! What a merge holds beyond the automatic merge of its parents: an *evil*
//! merge changes something that no commit of either side did.

use std::collections::BTreeSet;

use git2::{Commit, Diff, DiffOptions, Index, MergeOptions, Oid, Repository, Tree};

/// What a merge answers for: the rest was judged in the merged commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeChanges {
    /// Number of parents, two or more.
    pub parents: usize,
    /// The paths, from the root, at which the merge has another content or
    /// mode than the automatic merge, or at which that has a conflict.
    ///
    /// A merge of more than two parents has no automatic merge: the paths at
    /// which it differs from one of them.
    pub paths: BTreeSet<String>,
}

impl MergeChanges {
    /// Whether it is the automatic merge of two parents and nothing else.
    pub fn is_clean(&self) -> bool {
        self.parents == 2 && self.paths.is_empty()
    }
}

/// Where libgit2 keeps the blobs that it merges: above its own backends, so
/// that a judgement writes nothing to the repository.
const MEMORY_PRIORITY: i32 = 1000;
/// git's own threshold of similarity, in percent, for a renamed file.
const RENAME_THRESHOLD: u32 = 50;
/// Most renamed files that are looked for by similarity (git: 7,000): each is compared with each.
const MAX_RENAMES: u32 = 1000;
/// Most merge bases that are merged into one (git: all).
const MAX_BASES: u32 = 32;

/// Compares a merge with the automatic merge of its parents.
///
/// The tree of `id` and those of its parents have passed the checks of trees.
/// Nothing for a commit with fewer than two parents.
pub(super) fn compare_merge(repo: &Repository, id: Oid) -> Result<Option<MergeChanges>, git2::Error> {
    let merge = repo.find_commit(id)?;
    let paths = match merge.parents().collect::<Vec<_>>()[..] {
        [] | [_] => return Ok(None),
        [ref ours, ref theirs] => match choose_side(repo, ours, theirs)? {
            Some(automatic) => changed_paths(&compare_trees(repo, &automatic, &merge.tree()?)?),
            None => compare_with_automatic(repo, &merge, ours, theirs)?,
        },
        ref parents => {
            let mut paths = BTreeSet::new();
            for parent in parents {
                paths.append(&mut changed_paths(&compare_trees(repo, &parent.tree()?, &merge.tree()?)?));
            }
            paths
        }
    };
    Ok(Some(MergeChanges { parents: merge.parent_count(), paths }))
}

/// The automatic merge where only one side changed anything: what that side has.
fn choose_side<'repo>(
    repo: &'repo Repository,
    ours: &Commit<'repo>,
    theirs: &Commit<'repo>,
) -> Result<Option<Tree<'repo>>, git2::Error> {
    let base = match repo.merge_bases(ours.id(), theirs.id()) {
        Ok(bases) if bases.len() == 1 => repo.find_commit(bases[0])?.tree_id(),
        Ok(_) => return Ok(None),
        Err(error) if error.code() == git2::ErrorCode::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(if base == ours.tree_id() {
        Some(theirs.tree()?)
    } else if base == theirs.tree_id() {
        Some(ours.tree()?)
    } else {
        None
    })
}

fn compare_with_automatic(
    repo: &Repository,
    merge: &Commit<'_>,
    ours: &Commit<'_>,
    theirs: &Commit<'_>,
) -> Result<BTreeSet<String>, git2::Error> {
    // Opened anew, so that what the merge writes is gone with it.
    let scratch = Repository::open(repo.path())?;
    let odb = scratch.odb()?;
    odb.add_new_mempack_backend(MEMORY_PRIORITY)?;
    let automatic = merge_automatically(&scratch, ours.id(), theirs.id())?;
    let tree = scratch.find_tree(merge.tree_id())?;
    let diff = scratch.diff_tree_to_index(Some(&tree), Some(&automatic), None)?;
    let mut paths = changed_paths(&diff);
    paths.append(&mut conflicting_paths(&automatic)?);
    Ok(paths)
}

/// Where a merge has a conflict.
pub fn conflicting_paths(merged: &Index) -> Result<BTreeSet<String>, git2::Error> {
    let mut paths = BTreeSet::new();
    for conflict in merged.conflicts()? {
        let conflict = conflict?;
        let sides = [conflict.ancestor, conflict.our, conflict.their];
        paths.extend(sides.into_iter().flatten().map(|entry| name_of(&entry.path)));
    }
    Ok(paths)
}

/// The index that `git merge` would leave, conflicts and all: what is no conflict is written to the
/// repository's objects. The options are
/// given in full: what is left out, libgit2 takes from the machine's settings.
pub fn merge_automatically(repo: &Repository, ours: Oid, theirs: Oid) -> Result<Index, git2::Error> {
    let mut options = MergeOptions::new();
    options.find_renames(true).rename_threshold(RENAME_THRESHOLD).target_limit(MAX_RENAMES).recursion_limit(MAX_BASES);
    repo.merge_commits(&repo.find_commit(ours)?, &repo.find_commit(theirs)?, Some(&options))
}

fn compare_trees<'repo>(
    repo: &'repo Repository,
    before: &Tree<'repo>,
    after: &Tree<'repo>,
) -> Result<Diff<'repo>, git2::Error> {
    repo.diff_tree_to_tree(Some(before), Some(after), Some(&mut DiffOptions::new()))
}

/// The paths in a difference, of both sides.
pub fn changed_paths(diff: &Diff<'_>) -> BTreeSet<String> {
    let files = diff.deltas().flat_map(|delta| [delta.old_file().path_bytes(), delta.new_file().path_bytes()]);
    files.flatten().map(name_of).collect()
}

/// The trees have passed: their names are UTF-8.
fn name_of(path: impl AsRef<[u8]>) -> String {
    String::from_utf8_lossy(path.as_ref()).into_owned()
}
