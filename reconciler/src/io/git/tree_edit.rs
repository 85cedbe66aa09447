//! Changes a tree by paths, without an index or a work tree.

use std::collections::BTreeMap;

use git2::{FileMode, ObjectType, Oid, Repository};

use super::error::GitError;

/// Files to put at their paths, or to remove from them (`None`).
pub(super) type BlobEdits<'a> = BTreeMap<&'a str, Option<(Oid, FileMode)>>;

/// Applies `edits` to the tree `base`, or to an empty one. Returns the new
/// root, and every tree that was written for it.
///
/// Removing what is not there changes nothing; folders that become empty go.
pub(super) fn edit_tree(
    repo: &Repository,
    base: Option<Oid>,
    edits: &BlobEdits<'_>,
) -> Result<(Oid, Vec<Oid>), GitError> {
    let mut written = Vec::new();
    let root = match edit_folder(repo, base, edits, &mut written)? {
        Some(id) => id,
        None => {
            let id = repo.treebuilder(None).and_then(|builder| builder.write()).map_err(GitError::write("a tree"))?;
            written.push(id);
            id
        }
    };
    Ok((root, written))
}

/// Returns nothing when the folder ends up empty.
fn edit_folder(
    repo: &Repository,
    base: Option<Oid>,
    edits: &BlobEdits<'_>,
    written: &mut Vec<Oid>,
) -> Result<Option<Oid>, GitError> {
    let base = base.map(|id| repo.find_tree(id)).transpose().map_err(GitError::read("a tree"))?;
    let mut builder = repo.treebuilder(base.as_ref()).map_err(GitError::write("a tree"))?;

    for (name, below) in group_by_folder(edits)? {
        let bad_path = || GitError::BadPath { path: name.to_owned() };
        let existing = base.as_ref().and_then(|tree| tree.get_name(name));
        match below {
            Below::File(Some((id, mode))) => {
                builder.insert(name, id, mode.into()).map_err(|_| bad_path())?;
            }
            Below::File(None) => {
                if existing.is_some() {
                    builder.remove(name).map_err(GitError::write(name))?;
                }
            }
            Below::Folder(edits) => {
                let folder = existing.as_ref().filter(|entry| entry.kind() == Some(ObjectType::Tree));
                let was = folder.map(git2::TreeEntry::id);
                match edit_folder(repo, was, &edits, written)? {
                    Some(id) if was == Some(id) => {}
                    Some(id) => {
                        builder.insert(name, id, FileMode::Tree.into()).map_err(|_| bad_path())?;
                    }
                    None if was.is_some() => builder.remove(name).map_err(GitError::write(name))?,
                    None => {}
                }
            }
        }
    }
    if builder.is_empty() {
        return Ok(None);
    }
    let id = builder.write().map_err(GitError::write("a tree"))?;
    if base.is_none_or(|base| base.id() != id) {
        written.push(id);
    }
    Ok(Some(id))
}

/// What the edits say of one name in a folder.
enum Below<'a> {
    File(Option<(Oid, FileMode)>),
    Folder(BlobEdits<'a>),
}

fn group_by_folder<'a>(edits: &BlobEdits<'a>) -> Result<BTreeMap<&'a str, Below<'a>>, GitError> {
    let mut groups: BTreeMap<&str, Below<'_>> = BTreeMap::new();
    for (&path, &edit) in edits {
        let bad_path = || GitError::BadPath { path: path.to_owned() };
        match path.split_once('/') {
            None if groups.contains_key(path) => return Err(bad_path()),
            None => {
                groups.insert(path, Below::File(edit));
            }
            Some((folder, rest)) => match groups.entry(folder).or_insert_with(|| Below::Folder(BTreeMap::new())) {
                Below::Folder(below) => {
                    below.insert(rest, edit);
                }
                // A file that goes may make room for a folder.
                group @ Below::File(None) => *group = Below::Folder(BTreeMap::from([(rest, edit)])),
                Below::File(Some(_)) => return Err(bad_path()),
            },
        }
    }
    Ok(groups)
}
