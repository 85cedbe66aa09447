//! What waits for witnesses, over a restart and over an exchange of the render key.

use std::collections::{BTreeMap, BTreeSet};

use muster_schema::manifest::{HostIdentity, Manifest};
use muster_schema::{CommitId, HostId, Sha256Digest};

use super::publish::NewBundle;
use super::{CycleError, Orchestrator};
use crate::bundle::{SignedManifest, head_of, published_manifest, sign_head};
use crate::io::clock;
use crate::io::signer::Signer;

impl Orchestrator {
    /// The manifest that waits for `host` with that content, where it is as it would be made now.
    pub(super) fn waits_for(&self, host: &HostIdentity, content: Sha256Digest) -> Option<Sha256Digest> {
        let bundle = self.awaiting.get(&host.id)?;
        let waiting = &bundle.manifest;
        let is_same = (waiting.content(), waiting.host()) == (content, host);
        let is_of_now = bundle.head.head().epoch == self.epoch && self.is_by_render_key(bundle);
        (is_same && is_of_now).then(|| waiting.digest())
    }

    /// Whether the key that signs manifests now has signed it.
    pub(super) fn is_by_render_key(&self, bundle: &NewBundle) -> bool {
        bundle.manifest.signature().key() == self.keys.render.public_key().id()
    }

    /// Finds the manifests that waited for witnesses when the process ended: of this epoch, newer than the host's head.
    /// Each gets a head only after a render has come to the same: it may have been given up before.
    ///
    /// # Errors
    /// When the published tree cannot be read, or the signer of heads fails.
    pub(super) fn find_waiting(&mut self) -> Result<(), CycleError> {
        if !self.demands_witness() {
            return Ok(());
        }
        for id in self.tree.hosts()? {
            let Some((manifest, source)) = self.newest_manifest(&id)? else { continue };
            let is_above =
                |head: &muster_schema::head::Head| (self.epoch, manifest.serial()) > (head.epoch, head.serial);
            if !self.heads.get(&id).is_none_or(is_above) {
                continue;
            }
            let Manifest { source, resources, .. } = source;
            let head = head_of(&self.fleet, &manifest, source.commit, clock::now(), self.config.head_life);
            let head = sign_head(head, self.keys.fresh.as_ref())?;
            let serial = self.serials.entry(id.clone()).or_default();
            *serial = (*serial).max(manifest.serial());
            let resources = u32::try_from(resources.len()).unwrap_or(u32::MAX);
            self.awaiting.insert(id.clone(), NewBundle { manifest, head, blobs: BTreeMap::new(), resources });
            self.unconfirmed.insert(id);
        }
        if !self.awaiting.is_empty() {
            tracing::info!(hosts = self.awaiting.len(), "manifests waited for witnesses before the start");
        }
        Ok(())
    }

    /// Nobody renders for hosts that left and put back what they found: what waits for them is right as it is.
    pub(super) fn confirm_reverting(&mut self) {
        let fleet = self.state.fleet();
        let awaiting = &self.awaiting;
        let is_right = |id: &HostId| {
            let reverts = fleet.hosts.get(id).is_some_and(|host| host.reverting);
            reverts && awaiting.get(id).is_some_and(|bundle| bundle.resources == 0)
        };
        self.unconfirmed.retain(|id| !is_right(id));
    }

    /// The published manifest of `id` with the highest serial of this epoch that the render key of now has signed.
    fn newest_manifest(&self, id: &HostId) -> Result<Option<(SignedManifest, Manifest)>, CycleError> {
        let render = self.keys.render.public_key();
        let mut newest: Option<(SignedManifest, Manifest)> = None;
        for digest in self.tree.manifests(id)? {
            if self.heads.get(id).is_some_and(|head| head.manifest == digest) {
                continue;
            }
            let Some((bytes, signatures)) = self.tree.load_manifest(id, digest)? else { continue };
            let Some((signed, manifest)) = published_manifest(bytes, &signatures, &render)? else { continue };
            let is_ours = signed.digest() == digest && signed.host().id == *id && manifest.fleet == self.fleet;
            let is_newer = newest.as_ref().is_none_or(|(other, _)| signed.serial() > other.serial());
            if is_ours && is_newer && manifest.epoch == self.epoch {
                newest = Some((signed, manifest));
            }
        }
        Ok(newest)
    }

    /// Makes anew what waits with the signature of a render key of before, and forgets that.
    ///
    /// # Errors
    /// When rendering or publishing fails; the next reconcile makes it.
    pub(super) fn renew_waiting(&mut self) -> Result<(), CycleError> {
        let is_old = |bundle: &NewBundle| !self.is_by_render_key(bundle) || bundle.head.head().epoch != self.epoch;
        let old: BTreeSet<HostId> =
            self.awaiting.iter().filter(|(_, bundle)| is_old(bundle)).map(|(id, _)| id.clone()).collect();
        let forgotten: Vec<NewBundle> = old.iter().filter_map(|id| self.awaiting.remove(id)).collect();
        self.unconfirmed.retain(|id| !old.contains(id));
        let (mut declared, mut reverting) = (BTreeSet::new(), Vec::<(HostIdentity, CommitId)>::new());
        {
            let fleet = self.state.fleet();
            for bundle in forgotten {
                let host = bundle.manifest.host().clone();
                match fleet.hosts.get(&host.id) {
                    Some(status) if status.reverting => reverting.push((host, bundle.head.head().revision.clone())),
                    _ => drop(declared.insert(host.id)),
                }
            }
        }
        self.publish_hosts(&declared, &BTreeMap::new())?;
        for (host, revision) in reverting {
            self.publish_nothing(vec![host], &revision)?;
        }
        Ok(())
    }
}
