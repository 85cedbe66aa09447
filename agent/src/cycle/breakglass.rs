//! Orders of somebody on the host: a challenge, and a bundle that people signed because the orchestrator cannot.
//!
//! A bundle is judged as what the orchestrator publishes is, by other keys and by the challenge. Roots that it brings
//! are climbed in memory, and kept only when all of it stands: what is refused leaves everything as it was.

use super::follow::Follower;
use super::verbatim::check_verbatim;
use crate::accepted::{Accepted, commit_root};
use crate::breakglass::{
    BreakGlassError, BreakGlassOrder, BreakGlassTaken, forget_challenge, give_challenge, load_challenge,
};
use crate::io::breakglass_folder::BreakGlassFolder;
use crate::io::clock;
use crate::store::Batch;
use crate::vault::VaultError;
use crate::verify::{
    BreakGlassContext, Reject, RejectCode, VerifiedHead, VerifiedManifest, verify_blob, verify_breakglass_head,
    verify_manifest,
};
use muster_schema::breakglass::{BLOB_FOLDER, BreakGlassReport, Challenge, HEAD_FILE, MANIFEST_FILE};
use muster_schema::envelope::Signature;
use muster_schema::head::MAX_HEAD_BYTES;
use muster_schema::json;
use muster_schema::manifest::{HostIdentity, MAX_MANIFEST_BYTES};
use muster_schema::root::{MAX_ROOT_BYTES, Root, VerifiedRoot};
use std::path::PathBuf;

/// As many roots as one bundle may bring.
const MAX_HOPS: u64 = 1_000;

impl Follower<'_> {
    /// Does what is asked, and answers.
    pub(super) async fn take_order(&mut self, order: BreakGlassOrder) {
        match order {
            BreakGlassOrder::Challenge(respond) => {
                let challenge = self.give_challenge();
                if let Ok(challenge) = &challenge {
                    tracing::warn!(expires = %challenge.expires, "somebody on the host asked for a break-glass challenge");
                }
                let _ = respond.send(challenge);
            }
            BreakGlassOrder::Apply(path, respond) => {
                let taken = self.break_glass(path).await;
                if let Err(BreakGlassError::Refused(reject)) = &taken {
                    self.note_reject(reject);
                }
                let _ = respond.send(taken);
            }
        }
    }

    fn identity(&self) -> HostIdentity {
        HostIdentity { id: self.messenger.id(), key: self.cycle.keys.public_key() }
    }

    fn give_challenge(&self) -> Result<Challenge, BreakGlassError> {
        let root = self.root.root();
        if root.roles.breakglass.is_none() {
            let version = root.version;
            let why = format_args!("root document {version} names no key of the role breakglass; nobody could answer");
            return Err(Reject::new(RejectCode::BreakGlassNoRole, why).into());
        }
        let marks = self.accepted.as_ref().map(|accepted| &accepted.marks);
        give_challenge(&self.cycle.store, &root.fleet, self.identity(), marks, self.now())
    }

    async fn break_glass(&mut self, path: PathBuf) -> Result<BreakGlassTaken, BreakGlassError> {
        let folder = BreakGlassFolder::new(path);
        let mut root = self.root.clone();
        let climbed = climb(&folder, &mut root)?;
        self.check_expiry(root.root())?;
        let head = self.breakglass_head(&folder, root.root())?;
        let bytes = folder.read(MANIFEST_FILE, MAX_MANIFEST_BYTES)?;
        let signatures = folder.signatures(MANIFEST_FILE, &root.root().roles.breakglass.keys)?;
        let manifest = verify_manifest(&bytes, &signatures, root.root(), &head)?;
        let cycle = self.cycle;
        let _fetching = cycle.shared.fetching.lock().await;
        self.keep_contents(&folder, &manifest, &bytes)?;
        check_verbatim(&manifest, self.accepted.as_ref(), &cycle.blobs)?;
        let mut resources = manifest.manifest().resources.clone();
        cycle.secrets.fill(&mut resources, &cycle.blobs)?;
        if let Some(signatures) = climbed {
            commit_root(&cycle.store, &root, &signatures)?;
            self.set_root(root);
        }
        let break_glass = BreakGlassReport { signers: manifest.break_glass_signers().to_vec(), since: clock::now() };
        tracing::warn!(keys = break_glass.signer_ids(), "a break-glass manifest is accepted");
        let kept = Accepted { break_glass: Some(break_glass.clone()), ..self.acceptable(&head, &manifest) };
        let mut batch = Batch::new();
        forget_challenge(&mut batch);
        self.put_in_force(kept, batch, resources)?;
        Ok(BreakGlassTaken { applied: manifest.applied().clone(), break_glass })
    }

    fn breakglass_head(&self, folder: &BreakGlassFolder, root: &Root) -> Result<VerifiedHead, BreakGlassError> {
        let challenge = load_challenge(&self.cycle.store)?;
        let host = self.identity();
        let context = BreakGlassContext {
            root,
            host: &host,
            marks: self.accepted.as_ref().map(|accepted| &accepted.marks),
            now: self.now(),
            challenge: challenge.as_ref(),
        };
        // Said without a look at the folder: nothing in it could help.
        if root.roles.breakglass.is_none() {
            return Ok(verify_breakglass_head(&[], &[], context)?);
        }
        let bytes = folder.read(HEAD_FILE, MAX_HEAD_BYTES)?;
        let signatures = folder.signatures(HEAD_FILE, &root.roles.breakglass.keys)?;
        Ok(verify_breakglass_head(&bytes, &signatures, context)?)
    }

    /// Keeps manifest and blobs, as the ones that are fetched.
    fn keep_contents(
        &self,
        folder: &BreakGlassFolder,
        manifest: &VerifiedManifest,
        bytes: &[u8],
    ) -> Result<(), BreakGlassError> {
        let blobs = &self.cycle.blobs;
        for blob in manifest.blobs().iter().filter(|blob| !blobs.holds(blob)) {
            let cap = usize::try_from(blob.size).unwrap_or(usize::MAX);
            let found = folder.look(&format!("{BLOB_FOLDER}/{}", blob.sha256), cap)?;
            let missing = || Reject::new(RejectCode::BlobMissing, format_args!("blob {} is not there", blob.sha256));
            let found = found.ok_or_else(missing)?;
            verify_blob(&found, blob)?;
            blobs.keep_bytes(&found)?;
        }
        blobs.keep_bytes(bytes)?;
        Ok(blobs.sync()?)
    }
}

/// Climbs from `root` by the root documents of the folder. Gives the signatures of the newest; none where there is no
/// newer one.
fn climb(folder: &BreakGlassFolder, root: &mut VerifiedRoot) -> Result<Option<Vec<Signature>>, Reject> {
    let mut climbed = None;
    for _ in 0..MAX_HOPS {
        let name = format!("{}.root.json", root.root().version.saturating_add(1));
        let Some(bytes) = folder.look(&name, MAX_ROOT_BYTES)? else { break };
        // What the document says is only believed for the names of its signatures.
        let own = json::load_strict::<Root>(&bytes, MAX_ROOT_BYTES).ok();
        let own = own.iter().flat_map(|own| &own.roles.root.keys);
        let signatures = folder.signatures(&name, root.root().roles.root.keys.iter().chain(own))?;
        let next = root.next(&bytes, &signatures);
        *root = next.map_err(|error| Reject::new(RejectCode::RootInvalid, format_args!("{name}: {error}")))?;
        climbed = Some(signatures);
    }
    Ok(climbed)
}

impl From<VaultError> for BreakGlassError {
    fn from(error: VaultError) -> Self {
        BreakGlassError::Disk(Box::new(error))
    }
}
