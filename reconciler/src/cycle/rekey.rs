//! Newer root documents, and the keys that they name.
//!
//! What the next keys sign is there before the root document that makes agents
//! ask for it: first the manifests get a signature more, then the root is
//! published, then heads and replies are signed by the new key.

use std::collections::BTreeSet;

use muster_schema::HostId;
use muster_schema::head::Head;
use muster_schema::root::Root;

use super::{CycleError, Orchestrator};
use crate::bundle::{SignedHead, next_serial, renew_head, resign_manifest, sign_head};
use crate::events::EventKind;
use crate::io::clock;
use crate::io::signer::Signer;
use crate::io::store::Batch;
use crate::keys::ServerKeys;

/// How many hosts' documents are signed and published at once: bounds memory.
const CHUNK: usize = 512;

impl Orchestrator {
    /// Takes up root documents that were put into the keys folder since, and
    /// signs as they say. Returns the hosts that are to look.
    ///
    /// # Errors
    /// When what is there cannot be used: then everything stays as it is. When
    /// publishing fails after that, the next reconcile does the rest.
    pub(super) fn take_newer_keys(&mut self) -> Result<Vec<HostId>, CycleError> {
        let Some(newer) = self.keys.load_newer()? else { return Ok(Vec::new()) };
        self.note_roots(newer.roots.get(self.keys.roots.len()..).unwrap_or_default())?;
        self.resign_manifests(&newer)?;
        publish_roots(self, &newer)?;
        let version = newer.roots.len();
        self.keys.take(newer);
        let message = format!("root document {version} counts from now on");
        tracing::info!(version, "{message}");
        self.state.events.push(clock::now(), EventKind::RootFollowed, None, message);
        let epoch = self.keys.root().map_or(self.epoch, |root| root.root().epoch);
        if epoch > self.epoch {
            self.raise_epoch(epoch)?;
        }
        self.resign_heads()?;
        self.renew_waiting()?;
        self.promote_witnessed();
        Ok(self.heads.keys().cloned().collect())
    }

    /// Gives every published manifest a signature by the key that signs
    /// manifests by `keys`. The bytes stay: a host that has them has nothing to do.
    pub(super) fn resign_manifests(&self, keys: &ServerKeys) -> Result<(), CycleError> {
        let signer = keys.render.as_ref();
        let signs = signer.public_key();
        let may_have_signed: Vec<_> = keys.render_keys().copied().collect();
        let heads: Vec<&Head> = self.heads.values().collect();
        for chunk in heads.chunks(CHUNK) {
            let mut batch = Batch::default();
            for head in chunk {
                let host = &head.host.id;
                if self.tree.has_manifest_signature(host, head.manifest, signs.id()) {
                    continue;
                }
                let Some((bytes, signatures)) = self.tree.load_manifest(host, head.manifest)? else { continue };
                match resign_manifest(&bytes, head, &signatures, &may_have_signed, signer)? {
                    Some(signature) => batch.manifest_signature(host, head.manifest, &signature),
                    None => tracing::warn!(%host, "the published manifest is by no key of ours and is not signed anew"),
                }
            }
            self.tree.publish(&batch)?;
        }
        Ok(())
    }

    /// Issues every head anew, by the key that signs heads now.
    fn resign_heads(&mut self) -> Result<(), CycleError> {
        let ids: Vec<HostId> = self.heads.keys().cloned().collect();
        for chunk in ids.chunks(CHUNK) {
            let heads = chunk.iter().filter_map(|id| self.heads.get(id));
            let signed = heads.map(|head| self.sign_renewed(head, clock::now())).collect::<Result<Vec<_>, _>>()?;
            self.publish_heads(&signed)?;
        }
        Ok(())
    }

    /// Serials start anew: every host gets a manifest of the new epoch.
    fn raise_epoch(&mut self, epoch: u64) -> Result<(), CycleError> {
        self.epoch = epoch;
        self.serials.clear();
        let declared: BTreeSet<HostId> = {
            let fleet = self.state.fleet();
            let stays = fleet.hosts.iter().filter(|(_, host)| host.assigned.is_some() && host.retired.is_none());
            stays.map(|(id, _)| id.clone()).collect()
        };
        self.publish_hosts(&declared, &std::collections::BTreeMap::new())?;
        self.raise_last_heads()
    }

    /// A last head says what it says in the newest epoch too: its agent keeps
    /// what it has, and asks for no manifest.
    pub(super) fn raise_last_heads(&mut self) -> Result<(), CycleError> {
        let (epoch, now) = (self.epoch, clock::now());
        let is_last = |head: &&Head| head.epoch < epoch && (head.retired || head.renamed.is_some());
        let raise = |head: &Head| {
            let renewed = renew_head(head, head.revision.clone(), now, self.config.head_life);
            sign_head(Head { epoch, serial: next_serial(0, now), ..renewed }, self.keys.fresh.as_ref())
        };
        let signed = self.heads.values().filter(is_last).map(raise).collect::<Result<Vec<_>, _>>()?;
        self.publish_heads(&signed)
    }

    /// Publishes heads in the place of those that their hosts have.
    pub(super) fn publish_heads(&mut self, heads: &[SignedHead]) -> Result<(), CycleError> {
        let mut batch = Batch::default();
        heads.iter().for_each(|head| batch.head(head));
        self.publish_batch(&batch)?;
        for head in heads {
            self.heads.insert(head.head().host.id.clone(), head.head().clone());
        }
        Ok(())
    }
}

/// Publishes the root documents.
pub(super) fn publish_roots(orchestrator: &Orchestrator, keys: &ServerKeys) -> Result<(), CycleError> {
    let mut batch = Batch::default();
    for (root, signatures) in &keys.roots {
        let Root { version, .. } = root.root();
        batch.root(*version, root.bytes(), signatures);
    }
    Ok(orchestrator.tree.publish(&batch)?)
}
