//! Commits that only one key may sign: the status branch's.

use git2::{Oid, Repository};
use muster_schema::Timestamp;
use ssh_key::PublicKey;

use super::allowed_signers::AllowedSigner;
use super::commits::read_commit;
use super::fault::CommitFault;
use super::policy::SigningPolicy;
use super::signature::verify_ssh_signature;
use crate::policy::AccessPolicy;

/// Verifies that `id` is a commit with exactly one signature, by `key`.
///
/// Its parents and its tree are not looked at: the signature covers the tree,
/// and whoever holds the key alone writes it.
pub fn verify_commit_by_key(repo: &Repository, id: Oid, key: &PublicKey) -> Result<(), CommitFault> {
    let signer = AllowedSigner {
        line: 1,
        principals: vec![key.comment().to_owned()],
        namespaces: None,
        valid_after: None,
        valid_before: None,
        key: key.key_data().clone(),
    };
    let policy = SigningPolicy {
        commit: id,
        allowed: vec![signer],
        revoked: Vec::new(),
        openpgp: Vec::new(),
        access: AccessPolicy::default(),
    };
    let commit = read_commit(repo, id)?;
    let signature = commit.signature.ok_or(CommitFault::Unsigned { merge: commit.parents > 1 })?;
    // The key has no time limits, so any time will do.
    verify_ssh_signature(&commit.payload, &signature, &policy, Timestamp(0)).map(|_| ())
}
