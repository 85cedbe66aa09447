//! Manifests that wait for the signatures of witnesses: no head names them before.

use muster_schema::envelope::{MAX_SIGNATURE_BYTES, Signature};
use muster_schema::head::Head;
use muster_schema::manifest::{MAX_MANIFEST_BYTES, Manifest};
use muster_schema::root::{Role, check_witnessed};
use muster_schema::state::Health;
use muster_schema::{HostId, PublicKey, Sha256Digest, json};

use super::publish::{NewBundle, Outcome};
use super::{CycleError, Orchestrator};
use crate::bundle::{head_of, sign_head};
use crate::io::bus::WitnessCall;
use crate::io::clock;
use crate::io::store::Batch;
use crate::status::Hold;
use crate::witness::{PendingManifest, verify_request};

/// The reason of a host that waits for witnesses.
pub(super) const AWAITING_WITNESS: &str = "AwaitingWitness";

/// The most manifests that a witness is told of at once.
const MOST_AT_ONCE: usize = 1000;

impl Orchestrator {
    /// The witnesses, where the newest root document demands some.
    fn witnesses(&self) -> Option<&Role> {
        self.keys.root().map(|root| &root.root().roles.witness).filter(|role| !role.is_none())
    }

    /// Whether heads wait for witnesses.
    pub(super) fn demands_witness(&self) -> bool {
        self.witnesses().is_some()
    }

    /// Keeps a published manifest until enough witnesses have signed it, in the place of one that waited before.
    pub(super) fn await_witnesses(&mut self, id: &HostId, bundle: NewBundle) -> Hold {
        self.serials.insert(id.clone(), bundle.manifest.serial());
        let hold = self.hold_for_witness(id, bundle.manifest.digest());
        self.awaiting.insert(id.clone(), bundle);
        self.unconfirmed.remove(id);
        hold
    }

    /// Why a host waits, with who has not signed.
    pub(super) fn hold_for_witness(&self, id: &HostId, manifest: Sha256Digest) -> Hold {
        let role = self.witnesses().cloned().unwrap_or_else(Role::none);
        let has = |key: &&PublicKey| !self.tree.has_manifest_signature(id, manifest, key.id());
        let missing: Vec<String> = role.keys.iter().filter(has).map(|key| key.id().to_string()).collect();
        let signed = role.keys.len().saturating_sub(missing.len());
        let message = format!("{signed} of {} witnesses have signed; not yet: {}", role.threshold, missing.join(", "));
        Hold { health: Health::Pending, reason: AWAITING_WITNESS.into(), message }
    }

    /// Answers a witness. Returns the hosts that have a new head by it.
    pub(super) fn answer_witness(&mut self, call: WitnessCall) -> Vec<HostId> {
        match call {
            WitnessCall::Pending { frame, respond } => {
                let _ = respond.send(self.pending_for(&frame));
                Vec::new()
            }
            WitnessCall::Sign { host, manifest, signature, respond } => {
                let taken = self.take_signature(&host, manifest, &signature);
                let is_new = matches!(taken, Ok(Taken::New));
                let _ = respond.send(taken.map(|taken| taken != Taken::Gone));
                if is_new { self.promote_hosts(vec![host]) } else { Vec::new() }
            }
        }
    }

    /// What the witness that asks has not signed.
    fn pending_for(&self, frame: &[u8]) -> Result<Vec<PendingManifest>, String> {
        let role = self.witnesses().ok_or("the root document demands no witness")?;
        let key = verify_request(frame, &self.fleet, &role.keys, clock::now())?;
        let awaiting = self.awaiting.iter().map(|(id, bundle)| (id, bundle.manifest.digest()));
        let published = self.heads.iter().filter(|(_, head)| !is_last(head)).map(|(id, head)| (id, head.manifest));
        let unsigned =
            |(id, manifest): &(&HostId, Sha256Digest)| !self.tree.has_manifest_signature(id, *manifest, key.id());
        let mut pending = Vec::new();
        for (id, digest) in awaiting.chain(published).filter(unsigned).take(MOST_AT_ONCE) {
            let bytes = self.tree.load_manifest(id, digest).map_err(|error| error.to_string())?;
            let Some((bytes, _)) = bytes else { continue };
            let manifest: Manifest =
                json::load_strict(&bytes, MAX_MANIFEST_BYTES).map_err(|error| error.to_string())?;
            let Manifest { host, epoch, serial, source, renderer, .. } = manifest;
            pending.push(PendingManifest { host, manifest: digest, epoch, serial, source, renderer });
        }
        Ok(pending)
    }

    /// Takes a signature that is of a witness, of a manifest that is published or waits. It proves itself.
    fn take_signature(&mut self, id: &HostId, manifest: Sha256Digest, signature: &[u8]) -> Result<Taken, String> {
        let role = self.witnesses().ok_or("the root document demands no witness")?;
        let awaits = self.awaiting.get(id).is_some_and(|bundle| bundle.manifest.digest() == manifest);
        if !awaits && self.heads.get(id).is_none_or(|head| head.manifest != manifest) {
            return Ok(Taken::Gone);
        }
        if signature.len() > MAX_SIGNATURE_BYTES {
            return Err("the signature is too long".to_owned());
        }
        let signature = Signature::load(signature).map_err(|error| error.to_string())?;
        let bytes = self.tree.load_manifest(id, manifest).map_err(|error| error.to_string())?;
        let (bytes, _) = bytes.ok_or("the manifest is not there")?;
        if !role.keys.iter().any(|key| signature.verify(&bytes, key).is_ok()) {
            return Err("no witness of the newest root document signed that manifest so".to_owned());
        }
        if self.tree.has_manifest_signature(id, manifest, signature.key()) {
            return Ok(Taken::Known);
        }
        let mut batch = Batch::default();
        batch.manifest_signature(id, manifest, &signature);
        self.tree.publish(&batch).map_err(|error| error.to_string())?;
        tracing::info!(host = %id, %manifest, witness = %signature.key(), "a witness has signed");
        Ok(Taken::New)
    }

    /// Gives heads to manifests that enough witnesses have signed; says of the others who is missing.
    pub(super) fn promote_witnessed(&mut self) -> Vec<HostId> {
        self.promote_hosts(self.awaiting.keys().cloned().collect())
    }

    fn promote_hosts(&mut self, ids: Vec<HostId>) -> Vec<HostId> {
        let mut promoted = Vec::new();
        for id in ids {
            match self.promote(&id) {
                Ok(true) => promoted.push(id),
                Ok(false) => self.renew_hold(&id),
                Err(error) => {
                    tracing::error!(host = %id, error = &error as &dyn std::error::Error, "a head cannot be published");
                }
            }
        }
        promoted
    }

    fn promote(&mut self, id: &HostId) -> Result<bool, CycleError> {
        let (Some(bundle), Some(root)) = (self.awaiting.get(id), self.keys.root()) else { return Ok(false) };
        let digest = bundle.manifest.digest();
        let witness = &root.root().roles.witness;
        let has_signed = |key: &&PublicKey| self.tree.has_manifest_signature(id, digest, key.id());
        let too_few = witness.keys.iter().filter(has_signed).count() < witness.threshold as usize;
        // What another render key signed, and what no render has come to since the start, may not be what is right.
        if too_few || self.unconfirmed.contains(id) || !self.is_by_render_key(bundle) {
            return Ok(false);
        }
        let signatures = self.tree.load_manifest(id, digest)?.map(|(_, signatures)| signatures).unwrap_or_default();
        if check_witnessed(root.root(), bundle.manifest.bytes(), &signatures).is_err() {
            return Ok(false);
        }
        let assigned = self.state.fleet().hosts.get(id).and_then(|host| host.assigned.clone());
        let revision = assigned.unwrap_or_else(|| bundle.head.head().revision.clone());
        let head = head_of(&self.fleet, &bundle.manifest, revision.clone(), clock::now(), self.config.head_life);
        let head = sign_head(head, self.keys.fresh.as_ref())?;
        let mut batch = Batch::default();
        batch.head(&head);
        self.publish_batch(&batch)?;
        if let Some(bundle) = self.awaiting.remove(id) {
            self.take_outcome(id, &revision, Outcome::New(Box::new(NewBundle { head, ..bundle })));
        }
        Ok(true)
    }

    fn renew_hold(&mut self, id: &HostId) {
        let Some(digest) = self.awaiting.get(id).map(|bundle| bundle.manifest.digest()) else { return };
        let hold = self.hold_for_witness(id, digest);
        if let Some(host) = self.state.fleet_mut().hosts.get_mut(id)
            && host.hold.as_ref() != Some(&hold)
        {
            host.hold = Some(hold);
            self.unsaved.insert(id.clone());
        }
    }
}

/// What became of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// It counts from now on.
    New,
    /// It was there before.
    Known,
    /// Another manifest has taken the place of the one that it signs.
    Gone,
}

fn is_last(head: &Head) -> bool {
    head.retired || head.renamed.is_some()
}
