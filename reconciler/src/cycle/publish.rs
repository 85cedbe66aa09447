//! Rendering hosts and publishing what changed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use muster_schema::manifest::{HostIdentity, Source, content_digest};
use muster_schema::state::Health;
use muster_schema::{CommitId, HostId, PublicKey, SCHEMA_VERSION, Sha256Digest};

use super::digest_trail::DigestTrail;
use super::quarantine::hold_for_copy;
use super::survey::{LastRender, SurveyResult, Surveyed, on_all_processors};
use super::witness::AWAITING_WITNESS;
use super::{CycleError, Orchestrator};
use crate::bundle::{
    BundleError, Origin, SignedHead, SignedManifest, head_of, next_serial, pack_manifest, sign_head, sign_manifest,
};
use crate::events::EventKind;
use crate::io::clock;
use crate::io::store::Batch;
use crate::model::{Finding, Model};
use crate::render::{Missing, NotRendered, RenderedHost, render_host};
use crate::state::Counters;
use crate::status::{Desired, Hold};

/// How many hosts are rendered, signed and published at once: bounds memory.
const CHUNK: usize = 512;

/// The reason of a host that holds because of a loop.
const FACTS_LOOP: &str = "FactsLoop";

/// A host to publish for.
struct Target {
    id: HostId,
    key: Option<PublicKey>,
    revision: CommitId,
    model: Model,
    desired: Option<Desired>,
    serial: u64,
    copied: bool,
}

/// What became of a target.
pub(super) enum Outcome {
    /// The content is what is published, or there is no key to publish for.
    Same,
    /// A manifest and a head to publish.
    New(Box<NewBundle>),
    /// Held by a wait or a fault.
    Held(Hold),
}

pub(super) struct NewBundle {
    pub(super) manifest: SignedManifest,
    pub(super) head: SignedHead,
    pub(super) blobs: BTreeMap<Sha256Digest, Arc<[u8]>>,
    pub(super) resources: u32,
}

impl Orchestrator {
    /// Renders `hosts` at their assigned revisions and publishes what differs
    /// from what is published. What was `surveyed` at these revisions and came
    /// to nothing new is not rendered again. Returns the hosts with something new.
    pub(super) fn publish_hosts(
        &mut self,
        hosts: &BTreeSet<HostId>,
        surveyed: &BTreeMap<HostId, Surveyed>,
    ) -> Result<Vec<HostId>, CycleError> {
        let targets = self.targets(hosts);
        let mut published = Vec::new();
        for chunk in targets.chunks(CHUNK) {
            let this = &*self;
            let outcomes = on_all_processors(chunk, |target| this.render_target(target, surveyed.get(&target.id)))?;
            let mut batch = Batch::default();
            let witnessed = self.demands_witness();
            for (outcome, _) in &outcomes {
                if let Outcome::New(bundle) = outcome {
                    for (digest, bytes) in &bundle.blobs {
                        batch.blob(*digest, bytes);
                    }
                    batch.manifest(&bundle.manifest);
                    if !witnessed {
                        batch.head(&bundle.head);
                    }
                }
            }
            self.publish_batch(&batch)?;
            for (target, (outcome, render)) in chunk.iter().zip(outcomes) {
                self.last_renders.extend(render.map(|render| (target.id.clone(), render)));
                let outcome = self.await_or_forget(&target.id, outcome);
                published.extend(self.take_outcome(&target.id, &target.revision, outcome));
            }
        }
        Counters::add(&self.state.counters.manifests, published.len());
        Ok(published)
    }

    /// What is new waits where witnesses are to sign it; what waited is forgotten where the host needs nothing new.
    fn await_or_forget(&mut self, id: &HostId, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Held(hold) if hold.reason == AWAITING_WITNESS => {
                self.unconfirmed.remove(id);
                Outcome::Held(hold)
            }
            Outcome::New(bundle) if self.demands_witness() => Outcome::Held(self.await_witnesses(id, *bundle)),
            Outcome::Same => {
                self.awaiting.remove(id);
                Outcome::Same
            }
            other => other,
        }
    }

    fn targets(&self, hosts: &BTreeSet<HostId>) -> Vec<Target> {
        let fleet = self.state.fleet();
        let target = |id: &HostId| {
            let host = fleet.hosts.get(id)?;
            let revision = host.assigned.clone()?;
            Some(Target {
                id: id.clone(),
                key: host.key,
                model: self.models.get(&revision)?.clone(),
                revision,
                // After a last head the same content needs a new one all the same.
                // So does one that people gave another manifest meanwhile.
                desired: host.desired.clone().filter(|_| !self.has_final_head(id) && !host.is_overtaken()),
                copied: host.copied.is_some(),
                serial: self.serials.get(id).copied().unwrap_or(0).max(host.reported_serial(self.epoch)),
            })
        };
        hosts.iter().filter_map(target).collect()
    }

    fn has_final_head(&self, id: &HostId) -> bool {
        self.heads.get(id).is_some_and(|head| head.retired || head.renamed.is_some())
    }

    /// Renders and signs; returns the render beside the outcome, if there was one.
    fn render_target(
        &self,
        target: &Target,
        surveyed: Option<&Surveyed>,
    ) -> Result<(Outcome, Option<LastRender>), CycleError> {
        if target.copied {
            return Ok((Outcome::Held(hold_for_copy()), None));
        }
        let identity = target.key.map(|key| HostIdentity { id: target.id.clone(), key });
        let same = |content: &Sha256Digest| match (&identity, &target.desired) {
            (None, _) => true,
            (Some(host), Some(held)) => held.content == *content && held.host == *host && held.epoch == self.epoch,
            (Some(_), None) => false,
        };
        let trail = self.trails.get(&target.id).filter(|trail| trail.is_at(&target.revision));
        if trail.is_some_and(DigestTrail::loops) {
            return Ok((Outcome::Held(hold_for_loop()), None));
        }
        if let Some(Surveyed { result: SurveyResult::Content(content), .. }) = surveyed
            && same(content)
        {
            return Ok((Outcome::Same, None));
        }
        let mut host = match render_host(&target.model, &target.id, &self.facts) {
            Ok(host) => host,
            Err(NotRendered::Waiting { missing, reads }) => {
                return Ok((Outcome::Held(hold_for_missing(&missing)), Some(LastRender { content: None, reads })));
            }
            Err(NotRendered::Faulty { found, reads }) => {
                return Ok((Outcome::Held(hold_for_fault(&found)), Some(LastRender { content: None, reads })));
            }
        };
        let content = content_digest(&host.resources, SCHEMA_VERSION).map_err(BundleError::Json)?;
        let facts_commit = self.committed_facts.commit_of(&host.reads);
        let render = Some(LastRender { content: Some(content), reads: std::mem::take(&mut host.reads) });
        let Some(identity) = identity.clone().filter(|_| !same(&content)) else {
            return Ok((Outcome::Same, render));
        };
        if let Some(waiting) = self.waits_for(&identity, content) {
            return Ok((Outcome::Held(self.hold_for_witness(&target.id, waiting)), render));
        }
        let now = clock::now();
        if trail.is_some_and(|trail| trail.would_loop(content, now)) {
            return Ok((Outcome::Held(hold_for_loop()), render));
        }
        let serial = next_serial(target.serial, now);
        let bundle = self.sign_bundle(identity, &target.revision, facts_commit, serial, host)?;
        Ok((Outcome::New(Box::new(bundle)), render))
    }

    /// Packs and signs what a host is to have.
    fn sign_bundle(
        &self,
        host: HostIdentity,
        revision: &CommitId,
        facts_commit: Option<CommitId>,
        serial: u64,
        rendered: RenderedHost,
    ) -> Result<NewBundle, CycleError> {
        let origin = Origin {
            fleet: self.fleet.clone(),
            epoch: self.epoch,
            source: Source { commit: revision.clone(), facts_commit, policy_version: 0 },
        };
        let RenderedHost { resources, blobs, verbatim, .. } = rendered;
        let count = u32::try_from(resources.len()).unwrap_or(u32::MAX);
        let manifest = pack_manifest(&origin, host, serial, resources, verbatim);
        let manifest = sign_manifest(manifest, self.keys.render.as_ref())?;
        let head = head_of(&self.fleet, &manifest, revision.clone(), clock::now(), self.config.head_life);
        let head = sign_head(head, self.keys.fresh.as_ref())?;
        Ok(NewBundle { manifest, head, blobs, resources: count })
    }

    /// Publishes a manifest without resources for hosts: their agents put back
    /// what they found.
    pub(super) fn publish_nothing(&mut self, hosts: Vec<HostIdentity>, revision: &CommitId) -> Result<(), CycleError> {
        let nothing = content_digest(&[], SCHEMA_VERSION).map_err(BundleError::Json)?;
        let mut batch = Batch::default();
        let mut bundles = Vec::new();
        for host in hosts {
            let id = host.id.clone();
            if let Some(waiting) = self.waits_for(&host, nothing) {
                let hold = Outcome::Held(self.hold_for_witness(&id, waiting));
                let outcome = self.await_or_forget(&id, hold);
                self.take_outcome(&id, revision, outcome);
                continue;
            }
            let serial = next_serial(self.serials.get(&id).copied().unwrap_or(0), clock::now());
            let bundle = self.sign_bundle(host, revision, None, serial, RenderedHost::default())?;
            batch.manifest(&bundle.manifest);
            if !self.demands_witness() {
                batch.head(&bundle.head);
            }
            bundles.push((id, bundle));
        }
        self.publish_batch(&batch)?;
        for (id, bundle) in bundles {
            let outcome = self.await_or_forget(&id, Outcome::New(Box::new(bundle)));
            self.take_outcome(&id, revision, outcome);
        }
        Ok(())
    }

    /// Takes over what became of a host; returns its id if something new is published.
    pub(super) fn take_outcome(&mut self, id: &HostId, revision: &CommitId, outcome: Outcome) -> Option<HostId> {
        let mut fleet = self.state.fleet_mut();
        let host = fleet.hosts.entry(id.clone()).or_default();
        let before = (host.hold.take(), host.desired.clone());
        let by_facts = !std::mem::take(&mut host.publishing);
        let new = match outcome {
            Outcome::Same => None,
            Outcome::Held(hold) => {
                if hold.reason == FACTS_LOOP
                    && let Some(trail) = self.trails.get_mut(id)
                {
                    trail.set_loops();
                }
                host.hold = Some(hold);
                None
            }
            Outcome::New(bundle) => {
                let NewBundle { manifest, head, resources, .. } = *bundle;
                match &before.1 {
                    Some(held) if by_facts => {
                        note_change(&mut self.trails, (id, revision), held.content, manifest.content())
                    }
                    _ => drop(self.trails.remove(id)),
                }
                host.desired = Some(Desired {
                    host: manifest.host().clone(),
                    manifest: manifest.digest(),
                    content: manifest.content(),
                    epoch: self.epoch,
                    serial: manifest.serial(),
                    changed_at: revision.clone(),
                    resources,
                });
                self.serials.insert(id.clone(), manifest.serial());
                self.heads.insert(id.clone(), head.head().clone());
                Some(id.clone())
            }
        };
        if (&before.0, &before.1) != (&host.hold, &host.desired) {
            self.unsaved.insert(id.clone());
        }
        drop(fleet);
        if new.is_some() {
            let message = format!("new manifest at {}", revision.short());
            self.state.events.push(clock::now(), EventKind::ManifestPublished, Some(id.clone()), message);
        }
        new
    }
}

/// Facts gave a host another content at the revision that it had.
fn note_change(
    trails: &mut HashMap<HostId, DigestTrail>,
    (id, revision): (&HostId, &CommitId),
    before: Sha256Digest,
    content: Sha256Digest,
) {
    let begin = || DigestTrail::new(revision.clone(), before);
    let trail = trails.entry(id.clone()).or_insert_with(begin);
    if !trail.is_at(revision) {
        *trail = begin();
    }
    trail.push(content, clock::now());
}

/// Why a host waits.
pub(super) fn hold_for_missing(missing: &[Missing]) -> Hold {
    let names: Vec<String> = missing.iter().take(5).map(ToString::to_string).collect();
    let more = if missing.len() > names.len() { ", …" } else { "" };
    let message = format!("waits for {}{more}", names.join(", "));
    let facts = missing.iter().any(|missing| matches!(missing, Missing::Fact { .. }));
    let reason = if facts { "WaitingForFacts" } else { "WaitingForRecipient" };
    Hold { health: Health::Pending, reason: reason.into(), message }
}

/// Why a host whose facts follow from what it is given gets nothing more.
fn hold_for_loop() -> Hold {
    let message = "its facts and what is rendered from them change each other to and fro; it keeps what it has until its next revision";
    Hold { health: Health::Degraded, reason: FACTS_LOOP.into(), message: message.into() }
}

/// Why a host keeps what it has.
pub(super) fn hold_for_fault(found: &[Finding]) -> Hold {
    let message = found.first().map_or_else(String::new, ToString::to_string);
    Hold { health: Health::Degraded, reason: "RenderFault".into(), message }
}
