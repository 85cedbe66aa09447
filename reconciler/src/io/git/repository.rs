//! Opens repositories, with durable writes.

use std::collections::BTreeMap;
use std::path::Path;

use git2::{ErrorCode, Oid, Repository, RepositoryInitOptions};

use super::error::GitError;
use super::fsync::enable_fsync;

/// Opens the repository at `path`, bare or with a work tree.
pub fn open_repository(path: &Path) -> Result<Repository, GitError> {
    enable_fsync()
        .and_then(|()| Repository::open(path))
        .map_err(|source| GitError::Open { path: path.to_owned(), source })
}

/// Opens the bare repository at `path`, and makes it first when it is absent.
/// Its default branch is `main`; an existing one is left as it is.
pub fn init_bare_repository(path: &Path) -> Result<Repository, GitError> {
    let mut options = RepositoryInitOptions::new();
    options.bare(true).initial_head("main").external_template(false).mkpath(true);
    enable_fsync()
        .and_then(|()| match Repository::open_bare(path) {
            Err(error) if error.code() == ErrorCode::NotFound => Repository::init_opts(path, &options),
            opened => opened,
        })
        .map_err(|source| GitError::Open { path: path.to_owned(), source })
}

/// Where the reference points; nothing when it does not exist.
pub fn read_tip(repo: &Repository, reference: &str) -> Result<Option<Oid>, GitError> {
    match repo.refname_to_id(reference) {
        Ok(id) => Ok(Some(id)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(source) => Err(GitError::Read { what: reference.to_owned(), source }),
    }
}

/// Every reference that names an object, by its full name; not symbolic ones, and none whose name is no text.
///
/// # Errors
/// When the references cannot be read.
pub fn list_references(repo: &Repository) -> Result<BTreeMap<String, Oid>, GitError> {
    let mut found = BTreeMap::new();
    for reference in repo.references().map_err(GitError::read("the references"))? {
        let reference = reference.map_err(GitError::read("the references"))?;
        found.extend(reference.name().ok().map(str::to_owned).zip(reference.target()));
    }
    Ok(found)
}
