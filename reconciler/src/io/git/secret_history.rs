//! The ciphertexts of secrets in the history of the state repository.

use std::collections::HashSet;

use git2::{Oid, Repository};
use muster_schema::secret::{SecretName, load_age};

use super::GitError;

/// The other secret that this ciphertext is or ever was, in the history of `tip`. A file of age does not say
/// which secret it is: who may write ciphertexts and not the rules could copy one under a name that other hosts may read,
/// and have it opened for these by whoever encrypts it anew.
///
/// # Errors
/// When the history cannot be read.
pub fn find_copied(
    repository: &Repository,
    tip: Oid,
    name: &SecretName,
    ciphertext: &[u8],
) -> Result<Option<SecretName>, GitError> {
    let read = |source| GitError::Read { what: "the history of secrets".to_owned(), source };
    // What is no file of age cannot be opened either, and is told then.
    let Ok(ours) = load_age(ciphertext) else { return Ok(None) };
    let mut walk = repository.revwalk().map_err(read)?;
    walk.push(tip).map_err(read)?;
    let (mut folders, mut blobs) = (HashSet::new(), HashSet::new());
    for commit in walk {
        let tree = repository.find_commit(commit.map_err(read)?).and_then(|one| one.tree()).map_err(read)?;
        let Some(folder) = tree.get_name("secrets").map(|entry| entry.id()) else { continue };
        if !folders.insert(folder) {
            continue;
        }
        let Ok(folder) = repository.find_tree(folder) else { continue };
        for entry in &folder {
            let other = entry.name().ok().and_then(|file| file.strip_suffix(".age")?.parse::<SecretName>().ok());
            let Some(other) = other.filter(|other| other != name && blobs.insert((entry.id(), other.clone()))) else {
                continue;
            };
            let Ok(blob) = repository.find_blob(entry.id()) else { continue };
            if load_age(blob.content()).is_ok_and(|theirs| theirs == ours) {
                return Ok(Some(other));
            }
        }
    }
    Ok(None)
}
