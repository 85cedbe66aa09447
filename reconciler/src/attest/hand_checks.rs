//! Files that follow from the others, in the form that git, ssh-keygen and minisign take: to check by hand.

use std::collections::BTreeMap;

use git2::{Oid, Repository};
use muster_schema::PublicKey;
use muster_schema::root::{RoleName, VerifiedRoot};

use crate::verify::parse_commit;

/// The public keys of the root documents and of the host: `keys/<id>.pub`.
pub fn key_files(roots: &[VerifiedRoot], host: &PublicKey) -> BTreeMap<String, String> {
    let of_root = |root: &VerifiedRoot| {
        let roles = root.root().roles.clone();
        RoleName::ALL.into_iter().flat_map(move |role| roles.get(role).keys.clone())
    };
    let keys = roots.iter().flat_map(of_root).chain([*host]);
    let file = |key: PublicKey| {
        let id = key.id();
        (format!("keys/{id}.pub"), format!("untrusted comment: minisign public key {id}\n{key}\n"))
    };
    keys.map(file).collect()
}

/// What was signed of a commit, its signature, and the signers that its first parent lists: `commits/<id>.payload`,
/// `.sig` and `.allowed_signers`. Of a commit that nobody signed there is no signature; the first one lists its own.
///
/// # Errors
/// When the repository does not give them.
pub fn commit_files(repository: &Repository, commit: Oid) -> Result<BTreeMap<String, Vec<u8>>, git2::Error> {
    let odb = repository.odb()?;
    let found = repository.find_commit(commit)?;
    let mut files = BTreeMap::new();
    if let Ok(object) = parse_commit(odb.read(commit)?.data()) {
        files.insert(format!("commits/{commit}.payload"), object.payload);
        files.extend(object.signature.map(|signature| (format!("commits/{commit}.sig"), signature)));
    }
    let judged_by = found.parents().next().unwrap_or(found);
    if let Ok(entry) = judged_by.tree()?.get_path(std::path::Path::new("policy/allowed_signers")) {
        let signers = repository.find_blob(entry.id())?.content().to_vec();
        files.insert(format!("commits/{commit}.allowed_signers"), signers);
    }
    Ok(files)
}
