//! Contents that the manifest says to be files of the signed commit.

use crate::accepted::Accepted;
use crate::vault::Vault;
use crate::verify::{Reject, RejectCode, VerifiedManifest};
use muster_schema::manifest::{MAX_MANIFEST_BYTES, Manifest};
use muster_schema::{BlobId, json};

/// Checks that each of them has the id in Git that the manifest names, before anything of it is written. Whoever has
/// the commit then sees that the bytes on the host are those that its signer saw. What the manifest that was accepted
/// before names in the same way was checked then.
///
/// # Errors
/// With a code for the first that is another, and for one that is damaged here: it is fetched anew the next time.
pub(super) fn check_verbatim(
    manifest: &VerifiedManifest,
    before: Option<&Accepted>,
    blobs: &Vault,
) -> Result<(), Reject> {
    let verbatim = &manifest.manifest().verbatim;
    if verbatim.is_empty() {
        return Ok(());
    }
    let known = before.and_then(|before| blobs.load(&before.manifest));
    let known = known.and_then(|bytes| json::load_strict::<Manifest>(&bytes, MAX_MANIFEST_BYTES).ok());
    let known = known.map(|manifest| manifest.verbatim).unwrap_or_default();
    for blob in manifest.blobs() {
        let Some(named) = verbatim.get(&blob.sha256).filter(|named| known.get(&blob.sha256) != Some(*named)) else {
            continue;
        };
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
