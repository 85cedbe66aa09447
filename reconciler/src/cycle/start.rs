//! What the orchestrator holds, and how it finds it again after a restart.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use muster_schema::{CommitId, FleetName, HostId};
use tokio::time::Instant;

use super::CycleError;
use super::bind::forget_old_bindings;
use super::committed_facts::CommittedFacts;
use super::digest_trail::DigestTrail;
use super::effects::FleetRenders;
use super::facts::FactsChange;
use super::publish::NewBundle;
use super::rekey::publish_roots;
use super::save::StatusWriter;
use super::survey::LastRender;
use crate::io::anchor::load_anchor;
use crate::io::archive::Archive;
use crate::io::audit::AuditLog;
use crate::io::clock;
use crate::io::git::{StatusBranch, StatusTree};
use crate::io::inbox::Inbox;
use crate::io::store::PublishedTree;
use crate::keys::ServerKeys;
use crate::model::{Model, ModelCache};
use crate::render::FactsOfFleet;
use crate::state::SharedState;
use crate::status::{Assignments, Desired, FleetStatus, HostStatus, load_status};
use crate::verify::VerifiedRevision;

/// How the orchestrator is to run.
#[derive(Debug, Clone)]
pub struct Config {
    /// The bare repository to read: the state repository itself, or our mirror of it.
    pub repository: PathBuf,
    /// The watched branch.
    pub branch: String,
    /// The folder for the published tree, the inbox and the anchor.
    pub data: PathBuf,
    /// The commit to trust where no record of one is left.
    pub trust: Option<CommitId>,
    /// How long a head lasts.
    pub head_life: Duration,
    /// How long published heads and reports are kept for `muster attest`.
    pub archive: Duration,
}

/// A running orchestrator.
pub struct Orchestrator {
    pub(super) config: Config,
    pub(super) keys: ServerKeys,
    pub(super) fleet: FleetName,
    pub(super) epoch: u64,
    pub(super) tree: PublishedTree,
    pub(super) state: Arc<SharedState>,
    pub(super) inbox: Inbox,
    pub(super) archive: Archive,
    /// The models of assigned revisions.
    pub(super) models: HashMap<CommitId, Model>,
    /// The newest revision that this run verified.
    pub(super) verified: Option<VerifiedRevision>,
    /// What stays loaded from one revision to the next.
    pub(super) cache: ModelCache,
    /// What was rendered to judge commits of people whose rights are bounded.
    pub(super) renders: FleetRenders,
    /// What the hosts have reported.
    pub(super) facts: FactsOfFleet,
    /// What changed in facts since hosts were last rendered for them.
    pub(super) facts_change: FactsChange,
    /// When hosts were last rendered for facts.
    pub(super) facts_rendered: Option<Instant>,
    /// What each host's last render read: rendered again when that changes.
    pub(super) last_renders: HashMap<HostId, LastRender>,
    /// Hosts whose content facts changed, and how.
    pub(super) trails: HashMap<HostId, DigestTrail>,
    /// Which facts are in the status branch.
    pub(super) committed_facts: CommittedFacts,
    /// The highest serial known of a host, wherever it was seen.
    pub(super) serials: HashMap<HostId, u64>,
    /// Published manifests that wait for witnesses.
    pub(super) awaiting: HashMap<HostId, NewBundle>,
    /// Hosts whose wait was found after a restart, and for whom nothing was rendered since: they get no head by it.
    pub(super) unconfirmed: BTreeSet<HostId>,
    /// The heads as they were last published.
    pub(super) heads: HashMap<HostId, muster_schema::head::Head>,
    /// Writes status commits.
    pub(super) writer: StatusWriter,
    /// What was decided.
    pub(super) audit: Arc<AuditLog>,
    /// The revision that was last written down there.
    pub(super) audited: Option<CommitId>,
    /// Hosts that were taken out of quarantine, and whom the door is to forget.
    pub(super) released: Vec<muster_schema::manifest::HostIdentity>,
    /// The newest verified revision, once it was followed.
    pub(super) newest: Option<(CommitId, Model)>,
    /// Machines became hosts by tokens, and nothing is published for them yet.
    pub(super) bound: bool,
    /// Hosts whose status changed since the last status commit.
    pub(super) unsaved: BTreeSet<HostId>,
}

impl Orchestrator {
    /// Finds what was published and known, and publishes the root documents.
    /// `branch` is the status branch, fetched where it is remote.
    ///
    /// # Errors
    /// When nothing says which commit to trust, or something cannot be read.
    pub fn start(config: Config, keys: ServerKeys, branch: StatusBranch) -> Result<Self, CycleError> {
        let (fleet, epoch) = match keys.root() {
            Some(root) => (root.root().fleet.clone(), root.root().epoch),
            None => return Err(CycleError::NoRoot),
        };
        let kept = load_anchor(&config.data)?;
        let tree = PublishedTree::open(config.data.join("published"))?;
        let known = branch.load()?;
        let mut status = load_known_status(known.as_ref(), &fleet);
        forget_old_bindings(&mut status, clock::now());
        let (inbox, frames) = Inbox::open(&config.data.join("inbox"))?;
        let archive = Archive::open(&config.data, config.archive, clock::now())?;
        let anchor = kept.or(status.assignments.anchor.take()).or(config.trust.clone());
        status.assignments.anchor = Some(anchor.ok_or(CycleError::NoAnchor)?);
        let mut serials = HashMap::new();
        for (id, host) in &mut status.hosts {
            // What the status branch remembers may not be published any more.
            let published = host.desired.take().map_or(0, |desired| serial_in(epoch, desired.epoch, desired.serial));
            serials.insert(id.clone(), host.reported_serial(epoch).max(published));
        }
        let reported = |(id, host): (&HostId, &HostStatus)| Some((id.clone(), host.facts.as_ref()?.body.facts.clone()));
        let facts = status.hosts.iter().filter_map(reported).collect();
        let mut orchestrator = Orchestrator {
            state: Arc::new(SharedState::new(status)),
            models: HashMap::new(),
            verified: None,
            cache: ModelCache::default(),
            renders: FleetRenders::of(&config.repository),
            facts,
            facts_change: FactsChange::default(),
            facts_rendered: None,
            last_renders: HashMap::new(),
            trails: HashMap::new(),
            committed_facts: CommittedFacts::at(branch.tip()),
            heads: HashMap::new(),
            awaiting: HashMap::new(),
            unconfirmed: BTreeSet::new(),
            audit: Arc::new(AuditLog::open(&config.data)?),
            audited: None,
            released: Vec::new(),
            newest: None,
            bound: false,
            unsaved: BTreeSet::new(),
            writer: StatusWriter::start(branch),
            config,
            keys,
            fleet,
            epoch,
            tree,
            inbox,
            archive,
            serials,
        };
        if let Some(tree) = &known {
            orchestrator.check_audit_log(tree)?;
        }
        orchestrator.load_published()?;
        orchestrator.keep_missing_heads(clock::now())?;
        orchestrator.resign_manifests(&orchestrator.keys)?;
        publish_roots(&orchestrator, &orchestrator.keys)?;
        orchestrator.raise_last_heads()?;
        orchestrator.find_waiting()?;
        for frame in frames {
            orchestrator.fold_frame(&frame);
        }
        orchestrator.check_bindings();
        orchestrator.withdraw_keys_of_before();
        Ok(orchestrator)
    }

    /// The state that the surfaces read.
    pub fn state(&self) -> Arc<SharedState> {
        self.state.clone()
    }

    /// The audit log.
    pub fn audit(&self) -> Arc<AuditLog> {
        self.audit.clone()
    }

    /// The fleet's name.
    pub fn fleet(&self) -> &FleetName {
        &self.fleet
    }

    /// The published tree.
    pub fn tree(&self) -> &PublishedTree {
        &self.tree
    }

    /// Takes over what the published tree says of each host.
    fn load_published(&mut self) -> Result<(), CycleError> {
        let mut status = self.state.fleet_mut();
        for id in self.tree.hosts()? {
            let Some((head, Some(manifest))) = self.tree.load_host(&id)? else {
                continue;
            };
            let key = Some(manifest.host.key);
            let unknown = || HostStatus { key, ..HostStatus::default() };
            let host = status.hosts.entry(id.clone()).or_insert_with(unknown);
            let serial = self.serials.entry(id.clone()).or_default();
            *serial = (*serial).max(serial_in(self.epoch, head.epoch, head.serial));
            if head.retired || head.renamed.is_some() {
                host.retired = host.retired.or(Some(head.issued));
            }
            host.desired = Some(Desired {
                content: manifest.content_digest().map_err(crate::bundle::BundleError::Json)?,
                host: manifest.host,
                manifest: head.manifest,
                epoch: manifest.epoch,
                serial: manifest.serial,
                changed_at: manifest.source.commit,
                resources: u32::try_from(manifest.resources.len()).unwrap_or(u32::MAX),
            });
            self.heads.insert(id, head);
        }
        Ok(())
    }

    /// What the assignments say now.
    pub(super) fn assignments(&self) -> Assignments {
        self.state.fleet().assignments.clone()
    }
}

/// What the status branch remembers.
fn load_known_status(tree: Option<&StatusTree>, fleet: &FleetName) -> FleetStatus {
    let Some(tree) = tree else {
        return FleetStatus::new(fleet.clone());
    };
    let loaded = load_status(fleet, &tree.files, clock::now());
    for (path, error) in &loaded.refused {
        tracing::warn!(path, error = error as &dyn std::error::Error, "a status file does not count");
    }
    loaded.fleet
}

/// A serial of `found` as far as it counts in `epoch`: each begins its own line.
fn serial_in(epoch: u64, found: u64, serial: u64) -> u64 {
    if found == epoch { serial } else { 0 }
}
