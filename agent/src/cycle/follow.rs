//! One look: head, manifest, blobs, secrets, in the protocol's order of checks. What passes all is in force.

use super::verbatim::check_verbatim;
use super::{Cycle, CycleError, root};
use crate::accepted::{Accepted, commit_id};
use crate::io::clock;
use crate::io::messenger::{Messenger, MessengerError};
use crate::store::{Batch, StoreError};
use crate::vault::VaultError;
use crate::verify::{
    HeadContext, Reject, RejectCode, VerifiedHead, VerifiedManifest, verify_blob, verify_head, verify_manifest,
};
use crate::worker::{InForce, Order};
use muster_schema::Timestamp;
use muster_schema::content::BlobRef;
use muster_schema::envelope::{MAX_SIGNATURE_BYTES, Signature};
use muster_schema::manifest::{HostIdentity, MAX_MANIFEST_BYTES};
use muster_schema::message::{Body, HeadRequest};
use muster_schema::resource::Resource;
use muster_schema::root::{Root, VerifiedRoot};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

/// A torn head is fetched again so often.
const TORN_TRIES: usize = 3;
const TORN_PAUSE: Duration = Duration::from_millis(200);
/// A new root is looked for so often.
const ROOT_INTERVAL: Duration = Duration::from_secs(3600);

/// What a look came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Followed {
    /// The host has no head yet.
    NothingYet,
    /// The head names what is in force.
    Unchanged,
    /// The same content under another head.
    Relabelled,
    /// A new manifest is in force.
    Accepted,
    /// The host has left the repository.
    Retired,
    /// The host has a new id, under which to look at once.
    Renamed,
}

/// Why a look came to nothing. What was in force stays.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// Something does not stand.
    #[error("refused")]
    Refused(#[from] Reject),
    /// No contact, or the orchestrator refused.
    #[error("no contact")]
    Contact(#[from] MessengerError),
    /// The root could not be climbed.
    #[error("no root")]
    Root(#[source] Box<CycleError>),
    /// The agent's own disk refused.
    #[error("the agent's store")]
    Disk(#[from] StoreError),
    /// The agent's own disk refused.
    #[error("the agent's vault")]
    Vault(#[from] VaultError),
}

impl FollowError {
    /// Whether it may stand by a newer root: the keys may just have been exchanged.
    fn may_stand_by_a_newer_root(&self) -> bool {
        match self {
            FollowError::Refused(reject) => {
                use RejectCode::{HeadSignature, ManifestSignature, ManifestWitness, RootExpired};
                matches!(reject.code, HeadSignature | ManifestSignature | ManifestWitness | RootExpired)
            }
            FollowError::Contact(MessengerError::Reply(error)) => error.is_of_signature(),
            _ => false,
        }
    }
}

/// What follows the head.
pub(super) struct Follower<'c> {
    pub(super) cycle: &'c Cycle,
    pub(super) messenger: Arc<Messenger>,
    pub(super) root: VerifiedRoot,
    root_looked: Option<Instant>,
    pub(super) accepted: Option<Accepted>,
    /// The worker has what is accepted.
    in_force: bool,
    /// When the head expired that is gone by, as far as the worker was told.
    expired: Option<Timestamp>,
}

impl<'c> Follower<'c> {
    pub(super) fn begin(
        cycle: &'c Cycle,
        root: VerifiedRoot,
        messenger: Arc<Messenger>,
    ) -> Result<Follower<'c>, StoreError> {
        let accepted = Accepted::load(&cycle.store)?;
        let in_force = cycle.in_force;
        Ok(Follower { cycle, messenger, root, root_looked: None, accepted, in_force, expired: None })
    }

    /// Looks once. Refusals are written down, to be reported; so is that the last head has expired meanwhile.
    pub(super) async fn follow(&mut self) -> Result<Followed, FollowError> {
        let followed = self.look().await;
        self.cycle.shared.note_trusted(self.messenger.trusted_time().unwrap_or_default());
        let now = self.now();
        let expired = self.accepted.as_ref().map(|accepted| accepted.expires).filter(|expires| *expires <= now);
        if self.expired != expired {
            self.expired = expired;
            self.order(Order::Hold(expired));
        }
        followed
    }

    async fn look(&mut self) -> Result<Followed, FollowError> {
        self.climb_root().await?;
        let followed = match self.follow_head().await {
            Err(error) if error.may_stand_by_a_newer_root() => {
                self.root_looked = None;
                self.climb_root().await?;
                self.follow_head().await
            }
            other => other,
        };
        match followed {
            Ok(Followed::Renamed) => self.follow_head().await.inspect_err(|error| self.note_refusal(error)),
            other => other.inspect_err(|error| self.note_refusal(error)),
        }
    }

    fn note_refusal(&self, error: &FollowError) {
        if let FollowError::Refused(reject) = error {
            self.note_reject(reject);
        }
    }

    pub(super) fn note_reject(&self, reject: &Reject) {
        tracing::warn!(%reject, "refused; what is in force stays");
        if let Err(error) = self.cycle.note_refusal(reject) {
            tracing::error!(error = &error as &dyn std::error::Error, "a refusal cannot be written down");
        }
    }

    async fn climb_root(&mut self) -> Result<(), FollowError> {
        if self.root_looked.is_some_and(|looked| looked.elapsed() < ROOT_INTERVAL) {
            return Ok(());
        }
        let mut root = self.root.clone();
        let climbed = root::climb(self.cycle, &mut root).await;
        // As far as it came: that root is written down, and counts.
        self.set_root(root);
        climbed.map_err(|error| FollowError::Root(Box::new(error)))?;
        self.root_looked = Some(Instant::now());
        Ok(())
    }

    /// Goes by this root from now on.
    pub(super) fn set_root(&mut self, root: VerifiedRoot) {
        self.messenger.set_fresh_keys(root.root().roles.fresh.keys.clone());
        self.root = root;
    }

    async fn follow_head(&mut self) -> Result<Followed, FollowError> {
        self.check_expiry(self.root.root())?;
        let Some(head) = self.fetch_head().await? else { return Ok(Followed::NothingYet) };
        if let Some(id) = head.head().renamed.clone() {
            commit_id(&self.cycle.store, &id)?;
            self.order(Order::Named(id.clone()));
            tracing::info!(%id, "the host was renamed");
            self.messenger.set_id(id);
            return Ok(Followed::Renamed);
        }
        let same = self.accepted.as_ref().filter(|accepted| accepted.marks.manifest == head.head().manifest);
        // What break-glass keys signed is not the orchestrator's, whatever its head names.
        let same = same.filter(|accepted| accepted.break_glass.is_none());
        let known = same.filter(|accepted| self.in_force && (!accepted.retired || head.head().retired));
        if let Some(accepted) = known {
            return self.relabel(accepted.clone(), &head);
        }
        let _fetching = self.cycle.shared.fetching.lock().await;
        let manifest = self.fetch_manifest(&head).await?;
        self.fetch_blobs(&manifest).await?;
        check_verbatim(&manifest, self.accepted.as_ref(), &self.cycle.blobs)?;
        let mut resources = manifest.manifest().resources.clone();
        self.cycle.secrets.fill(&mut resources, &self.cycle.blobs)?;
        Ok(self.put_in_force(self.acceptable(&head, &manifest), Batch::new(), resources)?)
    }

    pub(super) fn check_expiry(&self, root: &Root) -> Result<(), Reject> {
        if root.expires > self.now() {
            return Ok(());
        }
        Err(Reject::new(RejectCode::RootExpired, "the newest root has expired; what is in force stays"))
    }

    /// Asks for a head that holds our nonce: nobody can have kept it from before.
    async fn fetch_head(&mut self) -> Result<Option<VerifiedHead>, FollowError> {
        let host = HostIdentity { id: self.messenger.id(), key: self.cycle.keys.public_key() };
        for attempt in 1.. {
            let nonce = random_nonce()?;
            let reply = self.messenger.ask(Body::HeadRequest(HeadRequest { nonce: nonce.clone() })).await?;
            let Body::HeadReply(reply) = reply else { return Err(MessengerError::Unexpected.into()) };
            if reply.root.is_some_and(|newest| newest > self.root.root().version) {
                self.root_looked = None;
                self.climb_root().await?;
            }
            // By the time that the reply tells, too.
            self.check_expiry(self.root.root())?;
            let (Some(head), Some(signature)) = (reply.head, reply.signature) else { return Ok(None) };
            let signatures: Vec<Signature> = Signature::load(signature.as_bytes()).into_iter().collect();
            let context = HeadContext {
                root: self.root.root(),
                host: &host,
                marks: self.accepted.as_ref().map(|accepted| &accepted.marks),
                now: self.now(),
                nonce: Some(&nonce),
            };
            match verify_head(head.as_bytes(), &signatures, context) {
                Err(reject) if reject.may_be_torn() && attempt < TORN_TRIES => tokio::time::sleep(TORN_PAUSE).await,
                other => return Ok(Some(other?)),
            }
        }
        Ok(None)
    }

    async fn fetch_manifest(&self, head: &VerifiedHead) -> Result<VerifiedManifest, FollowError> {
        let path = format!("hosts/{}/{}.json", head.head().host.id, head.head().manifest);
        let missing = || Reject::new(RejectCode::ManifestMissing, format_args!("{path} is not there"));
        let bytes = self.messenger.fetch(&path, MAX_MANIFEST_BYTES).await?.ok_or_else(missing)?;
        let mut signatures = Vec::new();
        let roles = &self.root.root().roles;
        for key in roles.render.keys.iter().chain(&roles.witness.keys) {
            let text = self.messenger.fetch(&format!("{path}.{}.minisig", key.id()), MAX_SIGNATURE_BYTES).await?;
            signatures.extend(text.and_then(|text| Signature::load(&text).ok()));
        }
        let manifest = verify_manifest(&bytes, &signatures, self.root.root(), head)?;
        self.cycle.blobs.keep_bytes(&bytes)?;
        Ok(manifest)
    }

    async fn fetch_blobs(&self, manifest: &VerifiedManifest) -> Result<(), FollowError> {
        for blob in manifest.blobs() {
            if self.cycle.blobs.holds(&blob) {
                continue;
            }
            let path = format!("blobs/{}", blob.sha256);
            let missing = || Reject::new(RejectCode::BlobMissing, format_args!("{path} is not there"));
            let cap = usize::try_from(blob.size).unwrap_or(usize::MAX);
            let bytes = self.messenger.fetch(&path, cap).await?.ok_or_else(missing)?;
            verify_blob(&bytes, &blob)?;
            self.cycle.blobs.keep_bytes(&bytes)?;
        }
        Ok(self.cycle.blobs.sync()?)
    }

    /// The same manifest under another head: only what is said of it changes.
    fn relabel(&mut self, mut accepted: Accepted, head: &VerifiedHead) -> Result<Followed, FollowError> {
        let head_now = head.head();
        let unchanged = accepted.applied.revision == head_now.revision && accepted.retired == head_now.retired;
        accepted.marks = head.marks();
        accepted.expires = head_now.expires;
        accepted.retired = head_now.retired;
        accepted.applied.revision = head_now.revision.clone();
        let applied = accepted.applied.clone();
        let retired = accepted.retired;
        self.accept(accepted, Batch::new())?;
        if unchanged {
            return Ok(Followed::Unchanged);
        }
        self.order(if retired { Order::Retire(applied) } else { Order::Relabel(applied) });
        Ok(if retired { Followed::Retired } else { Followed::Relabelled })
    }

    /// What is kept of a head and its manifest once they are accepted.
    pub(super) fn acceptable(&self, head: &VerifiedHead, manifest: &VerifiedManifest) -> Accepted {
        Accepted {
            marks: head.marks(),
            applied: manifest.applied().clone(),
            manifest: BlobRef { sha256: manifest.applied().manifest, size: manifest.size() },
            expires: head.head().expires,
            retired: head.head().retired,
            break_glass: None,
        }
    }

    /// The mark is durable before the first change, together with `batch`.
    pub(super) fn put_in_force(
        &mut self,
        kept: Accepted,
        batch: Batch,
        resources: Vec<Resource>,
    ) -> Result<Followed, StoreError> {
        let Accepted { applied, manifest, retired, break_glass, .. } = kept.clone();
        self.accept(kept, batch)?;
        self.in_force = true;
        tracing::info!(serial = applied.serial, revision = %applied.revision, retired, "accepted");
        if retired {
            self.order(Order::Retire(applied));
            return Ok(Followed::Retired);
        }
        self.cycle.shared.preempt.store(true, Ordering::Relaxed);
        self.order(Order::Manifest(Box::new(InForce { resources, applied, manifest, break_glass })));
        Ok(Followed::Accepted)
    }

    /// Writes it down before anything goes by it.
    fn accept(&mut self, accepted: Accepted, batch: Batch) -> Result<(), StoreError> {
        accepted.commit(&self.cycle.store, batch)?;
        self.cycle.shared.note_head(accepted.marks.issued, accepted.expires);
        self.accepted = Some(accepted);
        Ok(())
    }

    fn order(&self, order: Order) {
        // A worker that ended ends the whole agent; see `cli::run`.
        let _ = self.cycle.orders.send(order);
    }

    /// The later of the clock and the last trusted time, so that a clock set back rolls nothing back.
    pub(super) fn now(&self) -> Timestamp {
        let accepted = self.accepted.as_ref().map(|accepted| accepted.marks.issued);
        clock::now().max(self.messenger.trusted_time().max(accepted).unwrap_or_default())
    }
}

fn random_nonce() -> Result<String, FollowError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(MessengerError::Random)?;
    Ok(hex::encode(bytes))
}
