//! Manifests and their blobs.

use super::head::chain;
use super::{Authority, Reject, RejectCode, VerifiedHead, check_resources};
use muster_schema::content::BlobRef;
use muster_schema::envelope::Signature;
use muster_schema::manifest::{MAX_MANIFEST_BYTES, Manifest};
use muster_schema::report::Applied;
use muster_schema::root::{Role, Root, RootError, check_signed, check_witnessed};
use muster_schema::{PublicKey, SCHEMA_VERSION, Sha256Digest, json};
use std::collections::BTreeSet;

/// A manifest that the head names and that those signed on whose word the head stands, whose resources fit together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedManifest {
    manifest: Manifest,
    applied: Applied,
    size: u64,
    signers: Vec<PublicKey>,
}

impl VerifiedManifest {
    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What reports say once it is applied.
    pub fn applied(&self) -> &Applied {
        &self.applied
    }

    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The break-glass keys that signed it and its head; none where it is the orchestrator's.
    pub fn break_glass_signers(&self) -> &[PublicKey] {
        &self.signers
    }

    /// The blobs that it needs.
    pub fn blobs(&self) -> BTreeSet<BlobRef> {
        self.manifest.resources.iter().flat_map(|resource| resource.blobs()).collect()
    }
}

/// Checks a manifest: size, signature, digest, then what it says.
///
/// # Errors
/// With the code of the first check that failed.
pub fn verify_manifest(
    bytes: &[u8],
    signatures: &[Signature],
    root: &Root,
    head: &VerifiedHead,
) -> Result<VerifiedManifest, Reject> {
    let (head, authority) = (head.head(), head.authority());
    if bytes.len() > MAX_MANIFEST_BYTES {
        return Err(Reject::new(RejectCode::ManifestTooLarge, format_args!("{} bytes", bytes.len())));
    }
    let signers = check_authority(bytes, signatures, root, authority)?;
    let digest = Sha256Digest::of(bytes);
    if digest != head.manifest {
        return Err(Reject::new(RejectCode::ManifestDigest, format_args!("it is {digest}")));
    }
    let manifest: Manifest = json::load_strict(bytes, MAX_MANIFEST_BYTES)
        .map_err(|error| Reject::new(RejectCode::ManifestMalformed, chain(&error)))?;
    if manifest.schema > SCHEMA_VERSION || manifest.min_agent > SCHEMA_VERSION {
        return Err(Reject::new(
            RejectCode::ManifestTooNew,
            format_args!(
                "schema {}, at least {} is needed; this agent knows {SCHEMA_VERSION}",
                manifest.schema, manifest.min_agent
            ),
        ));
    }
    if manifest.fleet != root.fleet {
        return Err(Reject::new(RejectCode::ManifestOtherFleet, format_args!("it is of fleet {}", manifest.fleet)));
    }
    if manifest.host != head.host {
        return Err(Reject::new(RejectCode::ManifestOtherHost, format_args!("it is for {}", manifest.host.id)));
    }
    if (manifest.epoch, manifest.serial) != (head.epoch, head.serial) {
        return Err(Reject::new(
            RejectCode::ManifestSerial,
            format_args!("serial {} of epoch {}", manifest.serial, manifest.epoch),
        ));
    }
    check_resources(&manifest.resources)?;
    let content = manifest.content_digest().map_err(|error| Reject::new(RejectCode::ManifestMalformed, error))?;
    let applied = Applied {
        manifest: digest,
        content,
        epoch: manifest.epoch,
        serial: manifest.serial,
        revision: head.revision.clone(),
    };
    Ok(VerifiedManifest { manifest, applied, size: bytes.len() as u64, signers })
}

/// Checks that those signed the manifest on whose word its head stands. Gives the break-glass keys that signed both.
fn check_authority(
    bytes: &[u8],
    signatures: &[Signature],
    root: &Root,
    authority: &Authority,
) -> Result<Vec<PublicKey>, Reject> {
    let refuse = |code| move |error: RootError| Reject::new(code, error);
    match authority {
        Authority::Orchestrator => {
            check_signed("render", &root.roles.render, bytes, signatures)
                .map_err(refuse(RejectCode::ManifestSignature))?;
            check_witnessed(root, bytes, signatures).map_err(refuse(RejectCode::ManifestWitness))?;
            Ok(Vec::new())
        }
        // Witnesses are asked by the orchestrator, which is not there.
        Authority::BreakGlass(keys) => {
            let of_head = Role { threshold: root.roles.breakglass.threshold, keys: keys.clone() };
            check_signed("breakglass", &of_head, bytes, signatures).map_err(refuse(RejectCode::ManifestSignature))
        }
    }
}

/// Checks that `bytes` are the blob that the manifest names.
///
/// # Errors
/// `BlobMismatch` otherwise.
pub fn verify_blob(bytes: &[u8], blob: &BlobRef) -> Result<(), Reject> {
    if BlobRef::of(bytes) == *blob {
        return Ok(());
    }
    Err(Reject::new(RejectCode::BlobMismatch, format_args!("blob {} has another digest or size", blob.sha256)))
}
