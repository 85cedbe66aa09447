//! What was verified last, as the store keeps it. It stays byte for byte while something is refused.

use crate::store::{Batch, Store, StoreError};
use crate::vault::Vault;
use crate::verify::Marks;
use muster_schema::breakglass::BreakGlassReport;
use muster_schema::content::BlobRef;
use muster_schema::envelope::Signature;
use muster_schema::manifest::{MAX_MANIFEST_BYTES, Manifest};
use muster_schema::report::Applied;
use muster_schema::root::{RootError, VerifiedRoot};
use muster_schema::{HostId, Sha256Digest, Timestamp, json};
use serde::{Deserialize, Serialize};

const ACCEPTED_KEY: &str = "accepted";
const CONVERGED_KEY: &str = "converged";
const CHECKED_KEY: &str = "checked";
const ROOT_KEY: &str = "root";
const ID_KEY: &str = "id";

/// The manifest that is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Nothing older is accepted again.
    pub marks: Marks,
    /// What reports say.
    pub applied: Applied,
    /// The manifest's bytes, in the vault of blobs.
    pub manifest: BlobRef,
    /// When the head ends.
    pub expires: Timestamp,
    /// The host has left the repository.
    pub retired: bool,
    /// Break-glass keys signed it, until the orchestrator's next manifest takes its place.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub break_glass: Option<BreakGlassReport>,
}

impl Accepted {
    /// What the store holds.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn load(store: &Store) -> Result<Option<Accepted>, StoreError> {
        store.load(ACCEPTED_KEY)
    }

    /// What is in force after a start, with its manifest: what the store holds, unless its manifest is damaged, or
    /// `told`, what the agent last said beside the store that it has, is newer. Then the store is an old one that was
    /// put back; nothing is enforced and nothing taken back until the newest manifest was fetched.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn in_force(
        store: &Store,
        blobs: &Vault,
        told: Option<&Applied>,
    ) -> Result<Option<(Accepted, Manifest)>, StoreError> {
        let Some(accepted) = Accepted::load(store)? else { return Ok(None) };
        let (epoch, serial) = (accepted.marks.epoch, accepted.marks.serial);
        if let Some(told) = told.filter(|told| (told.epoch, told.serial) > (epoch, serial)) {
            tracing::warn!(
                serial,
                newer = told.serial,
                "the store is older than what was applied; it waits for contact"
            );
            return Ok(None);
        }
        let manifest = accepted.manifest(blobs);
        if manifest.is_none() {
            tracing::warn!(serial, "the manifest is damaged; it waits for contact");
            blobs.forget(&accepted.manifest);
        }
        Ok(manifest.map(|manifest| (accepted, manifest)))
    }

    /// Writes it down, durably, together with `batch`. From here on nothing older is accepted.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn commit(&self, store: &Store, mut batch: Batch) -> Result<(), StoreError> {
        batch.put(ACCEPTED_KEY, self)?;
        store.commit(batch)
    }

    /// The time by which exceptions are judged when the clock says `now`: never earlier than the head was signed, and
    /// not after it has expired, so that nothing changes then that nobody can have taken back.
    pub fn judged_time(&self, now: Timestamp) -> Timestamp {
        now.max(self.marks.issued).min(self.expires)
    }

    /// The manifest itself. `None` when its bytes are damaged or gone: it is fetched again.
    pub fn manifest(&self, blobs: &Vault) -> Option<Manifest> {
        json::load_strict(&blobs.load(&self.manifest)?, MAX_MANIFEST_BYTES).ok()
    }
}

/// The manifest that the host was once converged to from beginning to end: what differs from it since is drift.
///
/// # Errors
/// When the store cannot be read.
pub fn load_converged(store: &Store) -> Result<Option<Sha256Digest>, StoreError> {
    store.load(CONVERGED_KEY)
}

/// Keeps that the host was converged to `manifest`.
///
/// # Errors
/// When the store refuses.
pub fn commit_converged(store: &Store, manifest: Sha256Digest) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    batch.put(CONVERGED_KEY, &manifest)?;
    store.commit(batch)
}

/// The manifest under which every check was answered last.
///
/// # Errors
/// When the store cannot be read.
pub fn load_checked(store: &Store) -> Result<Option<Sha256Digest>, StoreError> {
    store.load(CHECKED_KEY)
}

/// Keeps that every check was answered under `manifest`.
///
/// # Errors
/// When the store refuses.
pub fn commit_checked(store: &Store, manifest: Sha256Digest) -> Result<(), StoreError> {
    if load_checked(store)? == Some(manifest) {
        return Ok(());
    }
    let mut batch = Batch::new();
    batch.put(CHECKED_KEY, &manifest)?;
    store.commit(batch)
}

/// A root document as the store keeps it.
#[derive(Serialize, Deserialize)]
struct KeptRoot {
    document: String,
    signatures: Vec<String>,
}

/// The newest root that was verified.
///
/// # Errors
/// When the store cannot be read.
pub fn load_root(store: &Store) -> Result<Option<VerifiedRoot>, StoreError> {
    let Some(kept) = store.load::<KeptRoot>(ROOT_KEY)? else { return Ok(None) };
    let bytes = kept.document.as_bytes();
    let signatures: Vec<Signature> =
        kept.signatures.iter().filter_map(|text| Signature::load(text.as_bytes()).ok()).collect();
    // It was reached from the pinned one when it was kept; what the store holds is ours.
    let root: Result<VerifiedRoot, RootError> = VerifiedRoot::pinned(bytes, &signatures, Sha256Digest::of(bytes));
    Ok(root.ok())
}

/// Keeps a root, durably, before anything that it signs is believed.
///
/// # Errors
/// When the store refuses.
pub fn commit_root(store: &Store, root: &VerifiedRoot, signatures: &[Signature]) -> Result<(), StoreError> {
    let kept = KeptRoot {
        document: String::from_utf8_lossy(root.bytes()).into_owned(),
        signatures: signatures.iter().map(|signature| signature.text().to_owned()).collect(),
    };
    let mut batch = Batch::new();
    batch.put(ROOT_KEY, &kept)?;
    store.commit(batch)
}

/// The id under which the host was enrolled.
///
/// # Errors
/// When the store cannot be read.
pub fn load_id(store: &Store) -> Result<Option<HostId>, StoreError> {
    store.load(ID_KEY)
}

/// Keeps the host's id.
///
/// # Errors
/// When the store refuses.
pub fn commit_id(store: &Store, id: &HostId) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    batch.put(ID_KEY, id)?;
    store.commit(batch)
}
