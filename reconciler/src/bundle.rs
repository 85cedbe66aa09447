//! Packs and signs what one host is to have. Pure, but for the signer it is given.

use std::collections::BTreeMap;
use std::time::Duration;

use muster_schema::digest::Sha256Digest;
use muster_schema::envelope::Signature;
use muster_schema::head::{Head, HeadType, MAX_HEAD_LIFE};
use muster_schema::manifest::{HostIdentity, MAX_MANIFEST_BYTES, Manifest, ManifestType, Renderer, Source};
use muster_schema::resource::Resource;
use muster_schema::{BlobId, CommitId, FleetName, HostId, PublicKey, SCHEMA_VERSION, Timestamp, json};

use crate::io::signer::{Signer, SignerError};

#[cfg(test)]
mod tests;

/// Why nothing was packed.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The manifest is larger than agents take.
    #[error("the manifest of {host} has {size} bytes, more than {MAX_MANIFEST_BYTES}")]
    TooLarge {
        /// The host.
        host: HostId,
        /// The manifest's size.
        size: usize,
    },
    /// It could not be written as JSON.
    #[error("writing JSON failed")]
    Json(#[from] serde_json::Error),
    /// The signer failed.
    #[error(transparent)]
    Signer(#[from] SignerError),
}

/// A manifest with the signature of the render role.
#[derive(Debug, Clone)]
pub struct SignedManifest {
    host: HostIdentity,
    epoch: u64,
    serial: u64,
    bytes: Vec<u8>,
    digest: Sha256Digest,
    content: Sha256Digest,
    signature: Signature,
}

impl SignedManifest {
    /// The manifest's exact bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The digest of the bytes.
    pub fn digest(&self) -> Sha256Digest {
        self.digest
    }

    /// The content digest.
    pub fn content(&self) -> Sha256Digest {
        self.content
    }

    /// The serial.
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// The host.
    pub fn host(&self) -> &HostIdentity {
        &self.host
    }

    /// The render key's signature.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }
}

/// What all manifests of one reconcile have in common.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The fleet.
    pub fleet: FleetName,
    /// The root's epoch.
    pub epoch: u64,
    /// The commits rendered from.
    pub source: Source,
}

/// Makes the manifest of `host` from its rendered `resources`, and from what of their contents is `verbatim`.
pub fn pack_manifest(
    origin: &Origin,
    host: HostIdentity,
    serial: u64,
    resources: Vec<Resource>,
    verbatim: BTreeMap<Sha256Digest, BlobId>,
) -> Manifest {
    Manifest {
        r#type: ManifestType::Is,
        schema: SCHEMA_VERSION,
        fleet: origin.fleet.clone(),
        host,
        epoch: origin.epoch,
        serial,
        source: origin.source.clone(),
        renderer: Renderer { version: env!("CARGO_PKG_VERSION").to_owned() },
        resources,
        min_agent: SCHEMA_VERSION,
        verbatim,
    }
}

/// Signs a manifest with the render key.
///
/// # Errors
/// When it is too large, or the signer fails.
pub fn sign_manifest(manifest: Manifest, render: &dyn Signer) -> Result<SignedManifest, BundleError> {
    let bytes = serde_json::to_vec(&manifest)?;
    if bytes.len() > MAX_MANIFEST_BYTES {
        return Err(BundleError::TooLarge { host: manifest.host.id, size: bytes.len() });
    }
    let content = manifest.content_digest()?;
    let signature = render.sign(&bytes, &manifest_comment(&manifest.host.id))?;
    let Manifest { host, epoch, serial, .. } = manifest;
    Ok(SignedManifest { host, epoch, serial, digest: Sha256Digest::of(&bytes), bytes, content, signature })
}

/// A manifest as it was published: its bytes, and the signature by `render` that is beside them. None where there is
/// no such signature, or the bytes are no manifest.
///
/// # Errors
/// When its content cannot be written as JSON.
pub fn published_manifest(
    bytes: Vec<u8>,
    signatures: &[Signature],
    render: &PublicKey,
) -> Result<Option<(SignedManifest, Manifest)>, BundleError> {
    let Some(signature) = signatures.iter().find(|signature| signature.verify(&bytes, render).is_ok()) else {
        return Ok(None);
    };
    let Ok(manifest) = json::load_strict::<Manifest>(&bytes, MAX_MANIFEST_BYTES) else { return Ok(None) };
    let signed = SignedManifest {
        host: manifest.host.clone(),
        epoch: manifest.epoch,
        serial: manifest.serial,
        digest: Sha256Digest::of(&bytes),
        bytes,
        content: manifest.content_digest()?,
        signature: signature.clone(),
    };
    Ok(Some((signed, manifest)))
}

/// One more signature of a published manifest: the one that `head` names and
/// that a key of `may_have_signed` signed. None for any other bytes.
///
/// # Errors
/// When the signer fails.
pub fn resign_manifest(
    bytes: &[u8],
    head: &Head,
    signatures: &[Signature],
    may_have_signed: &[PublicKey],
    render: &dyn Signer,
) -> Result<Option<Signature>, BundleError> {
    let is_by = |key: &PublicKey| signatures.iter().any(|signature| signature.verify(bytes, key).is_ok());
    if Sha256Digest::of(bytes) != head.manifest || !may_have_signed.iter().any(is_by) {
        return Ok(None);
    }
    Ok(Some(render.sign(bytes, &manifest_comment(&head.host.id))?))
}

fn manifest_comment(host: &HostId) -> String {
    format!("muster manifest {host}")
}

/// A head with the signature of the fresh role.
#[derive(Debug, Clone)]
pub struct SignedHead {
    head: Head,
    bytes: Vec<u8>,
    signature: Signature,
}

impl SignedHead {
    /// The head.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The head's exact bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The fresh key's signature.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }
}

/// Signs a head with the fresh key.
///
/// # Errors
/// When the signer fails.
pub fn sign_head(head: Head, fresh: &dyn Signer) -> Result<SignedHead, BundleError> {
    let bytes = serde_json::to_vec(&head)?;
    let signature = fresh.sign(&bytes, &format!("muster head {}", head.host.id))?;
    Ok(SignedHead { head, bytes, signature })
}

/// The head that names `manifest` as the newest of its host, from `issued` on for `life`.
pub fn head_of(
    fleet: &FleetName,
    manifest: &SignedManifest,
    revision: CommitId,
    issued: Timestamp,
    life: Duration,
) -> Head {
    Head {
        r#type: HeadType::Is,
        fleet: fleet.clone(),
        host: manifest.host.clone(),
        epoch: manifest.epoch,
        serial: manifest.serial,
        manifest: manifest.digest,
        revision,
        issued,
        expires: issued.plus(life.min(MAX_HEAD_LIFE)),
        nonce: None,
        retired: false,
        renamed: None,
    }
}

/// The same statement as `head`, issued anew.
pub fn renew_head(head: &Head, revision: CommitId, issued: Timestamp, life: Duration) -> Head {
    let expires = issued.plus(life.min(MAX_HEAD_LIFE));
    Head { revision, issued, expires, nonce: None, ..head.clone() }
}

/// The serial that follows `highest_known` at `now`: serials never fall, even
/// where every record of them was lost but the clock is right.
pub fn next_serial(highest_known: u64, now: Timestamp) -> u64 {
    now.0.max(highest_known.saturating_add(1))
}
