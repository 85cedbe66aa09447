//! Approvals of changes, as references to blobs.

use git2::{Oid, Repository};
use ssh_key::SshSig;

use super::error::GitError;
use super::signing_program::SshKeygenSigner;
use crate::verify::{APPROVAL_NAMESPACE, approval_reference};

/// Signs `line`, and keeps both as the approval of `commit` by the signer's key. An approval of the
/// same key is replaced. Returns the reference.
///
/// # Errors
/// When the key does not sign, or the repository cannot be written.
pub fn store_approval(
    repo: &Repository,
    commit: Oid,
    line: &str,
    signer: &SshKeygenSigner,
) -> Result<String, GitError> {
    let armoured = signer.sign(APPROVAL_NAMESPACE, line.as_bytes())?;
    let signature = SshSig::from_pem(&armoured).map_err(GitError::Key)?;
    let reference = approval_reference(commit, signature.public_key());
    let blob = repo.blob(format!("{line}{armoured}").as_bytes()).map_err(GitError::write("the approval"))?;
    repo.reference(&reference, blob, true, "approve").map_err(GitError::write(reference.as_str()))?;
    Ok(reference)
}
