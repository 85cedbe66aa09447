//! Contents that the manifest says to be files of the signed commit.

use crate::vault::Vault;
use crate::verify::{Reject, RejectCode, VerifiedManifest};
use muster_schema::BlobId;

/// Checks that each of them has the id in Git that the manifest names, before anything of it is written. Whoever has
/// the commit then sees that the bytes on the host are those that its signer saw.
///
/// # Errors
/// With a code for the first that is another, and for one that is damaged here: it is fetched anew the next time.
pub(super) fn check_verbatim(manifest: &VerifiedManifest, blobs: &Vault) -> Result<(), Reject> {
    let verbatim = &manifest.manifest().verbatim;
    if verbatim.is_empty() {
        return Ok(());
    }
    for blob in manifest.blobs() {
        let Some(named) = verbatim.get(&blob.sha256) else { continue };
        let Some(bytes) = blobs.load(&blob) else {
            blobs.forget(&blob);
            return Err(Reject::new(RejectCode::BlobMissing, format_args!("blob {} is damaged", blob.sha256)));
        };
        let found = BlobId::of(&bytes);
        if found != *named {
            let what = format_args!("content {} is {found} in Git, not {named}", blob.sha256);
            return Err(Reject::new(RejectCode::VerbatimMismatch, what));
        }
    }
    Ok(())
}
