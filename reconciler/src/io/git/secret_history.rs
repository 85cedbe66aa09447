//! The ciphertexts of secrets in the history of the state repository.

use std::collections::{BTreeSet, HashMap, HashSet};

use git2::{Oid, Repository};
use muster_schema::Sha256Digest;
use muster_schema::secret::{SecretName, load_age};

use super::GitError;

/// Which secrets each ciphertext is or ever was, in the history of a commit. A file of age does not say which secret it
/// is: who may write ciphertexts and not the rules could copy one under a name that other hosts may read, and have it
/// opened for these by whoever encrypts it anew.
#[derive(Debug)]
pub struct SecretHistory {
    /// By the digest of the ciphertext, out of its armour.
    names: HashMap<Sha256Digest, BTreeSet<SecretName>>,
}

impl SecretHistory {
    /// Reads the history of `tip`, once.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn load(repository: &Repository, tip: Oid) -> Result<SecretHistory, GitError> {
        let read = |source| GitError::Read { what: "the history of secrets".to_owned(), source };
        let mut walk = repository.revwalk().map_err(read)?;
        walk.push(tip).map_err(read)?;
        let (mut folders, mut blobs) = (HashSet::new(), HashSet::new());
        let mut names: HashMap<Sha256Digest, BTreeSet<SecretName>> = HashMap::new();
        for commit in walk {
            let tree = repository.find_commit(commit.map_err(read)?).and_then(|one| one.tree()).map_err(read)?;
            let Some(folder) = tree.get_name("secrets").map(|entry| entry.id()) else { continue };
            if !folders.insert(folder) {
                continue;
            }
            let Ok(folder) = repository.find_tree(folder) else { continue };
            for entry in &folder {
                let name = entry.name().ok().and_then(|file| file.strip_suffix(".age")?.parse::<SecretName>().ok());
                let Some(name) = name.filter(|name| blobs.insert((entry.id(), name.clone()))) else { continue };
                let Ok(blob) = repository.find_blob(entry.id()) else { continue };
                if let Ok(binary) = load_age(blob.content()) {
                    names.entry(Sha256Digest::of(&binary)).or_default().insert(name);
                }
            }
        }
        Ok(SecretHistory { names })
    }

    /// The other secret that this ciphertext of `name` is, or was once.
    pub fn find_copied(&self, name: &SecretName, ciphertext: &[u8]) -> Option<&SecretName> {
        // What is no file of age cannot be opened either, and is told then.
        let binary = load_age(ciphertext).ok()?;
        self.names.get(&Sha256Digest::of(&binary))?.iter().find(|other| *other != name)
    }
}
