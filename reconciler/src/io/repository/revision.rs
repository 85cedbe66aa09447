//! A revision in Git's object database; never a checkout.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use git2::{ObjectType, Oid, Repository, Tree};

use super::{Listing, RepositoryError, is_of_interest};
use crate::model::{BlobError, BlobId, BlobSource, FileEntry, RepositoryFiles};

/// The mode that Git gives a symbolic link.
const LINK_MODE: i32 = 0o120_000;
/// The longest target of a link.
const MAX_TARGET_BYTES: u64 = 4096;

/// Lists the files of the state repository at a revision: a commit id, or what
/// `git rev-parse` takes. `repository` is its folder, bare or not.
///
/// # Errors
/// When Git does not give the tree, or it has too many entries.
pub fn list_revision(repository: &Path, revision: &str) -> Result<RepositoryFiles, RepositoryError> {
    let failed = |source| RepositoryError::Git { revision: revision.to_owned(), source };
    let open = Repository::open(repository).map_err(failed)?;
    let mut listing = Listing::default();
    {
        let tree = open.revparse_single(revision).and_then(|object| object.peel_to_tree()).map_err(failed)?;
        list(&open, &tree, "", 0, &mut listing)?;
    }
    Ok(RepositoryFiles::new(listing.entries, Arc::new(ObjectDatabase(Mutex::new(open)))))
}

/// Lists some files of the state repository at a revision; those that are not there are left out.
///
/// # Errors
/// When Git does not give the tree.
pub fn list_paths(repository: &Path, revision: &str, paths: &[&str]) -> Result<RepositoryFiles, RepositoryError> {
    let failed = |source| RepositoryError::Git { revision: revision.to_owned(), source };
    let open = Repository::open(repository).map_err(failed)?;
    let entries: Vec<_> = {
        let tree = open.revparse_single(revision).and_then(|object| object.peel_to_tree()).map_err(failed)?;
        let file = |path: &&str| {
            let entry = tree.get_path(Path::new(path)).ok()?;
            let is_file = entry.kind() == Some(ObjectType::Blob) && entry.filemode() != LINK_MODE;
            let id = entry.id().as_bytes().try_into().ok().filter(|_| is_file)?;
            Some((Arc::from(*path), FileEntry::File(BlobId(id))))
        };
        paths.iter().filter_map(file).collect()
    };
    Ok(RepositoryFiles::new(entries, Arc::new(ObjectDatabase(Mutex::new(open)))))
}

fn list(
    repository: &Repository,
    tree: &Tree<'_>,
    prefix: &str,
    depth: usize,
    listing: &mut Listing,
) -> Result<(), RepositoryError> {
    for entry in tree.iter() {
        let Ok(name) = entry.name() else {
            let shown = format!("{prefix}{}", String::from_utf8_lossy(entry.name_bytes()));
            listing.add(shown.into(), FileEntry::Refused { what: "a name that is not UTF-8" })?;
            continue;
        };
        let of_interest = depth > 0 || is_of_interest(name);
        let relative: Arc<str> = format!("{prefix}{name}").into();
        match entry.kind() {
            Some(ObjectType::Tree) if of_interest => {
                listing.enter(&relative, depth)?;
                let failed = |source| RepositoryError::Git { revision: relative.to_string(), source };
                let tree = repository.find_tree(entry.id()).map_err(failed)?;
                list(repository, &tree, &format!("{relative}/"), depth + 1, listing)?;
            }
            Some(ObjectType::Tree) => listing.add(relative, FileEntry::Unused)?,
            Some(ObjectType::Blob) if entry.filemode() == LINK_MODE => {
                let target = load_blob(repository, entry.id(), MAX_TARGET_BYTES);
                let target = String::from_utf8_lossy(&target.unwrap_or_default()).into_owned();
                listing.add(relative, FileEntry::Link { target })?;
            }
            Some(ObjectType::Blob) if of_interest => {
                let id = entry.id().as_bytes().try_into().unwrap_or([0; 20]);
                listing.add(relative, FileEntry::File(BlobId(id)))?;
            }
            Some(ObjectType::Blob) => listing.add(relative, FileEntry::Unused)?,
            _ => listing.add(relative, FileEntry::Refused { what: "a submodule" })?,
        }
    }
    Ok(())
}

struct ObjectDatabase(Mutex<Repository>);

impl BlobSource for ObjectDatabase {
    fn load_blob(&self, _: &str, id: BlobId, limit: u64) -> Result<Vec<u8>, BlobError> {
        let repository = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let unreadable = |error: git2::Error| BlobError::Unreadable(error.message().to_owned());
        let id = Oid::from_bytes(&id.0).map_err(unreadable)?;
        load_blob(&repository, id, limit)
    }
}

/// Reads a blob after its size, so that a large one is never in memory.
fn load_blob(repository: &Repository, id: Oid, limit: u64) -> Result<Vec<u8>, BlobError> {
    let unreadable = |error: git2::Error| BlobError::Unreadable(error.message().to_owned());
    let objects = repository.odb().map_err(unreadable)?;
    let (size, _) = objects.read_header(id).map_err(unreadable)?;
    if size as u64 > limit {
        return Err(BlobError::TooLarge { limit });
    }
    Ok(objects.read(id).map_err(unreadable)?.data().to_vec())
}
