//! From a new tip to published manifests.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use git2::{Oid, Repository};
use muster_schema::condition::{Condition, ConditionStatus};
use muster_schema::head::Head;
use muster_schema::{CommitId, HostId};

use super::publish::hold_for_fault;
use super::survey::{LastRender, SurveyResult, Surveyed, findings_of, survey};
use super::{CycleError, Orchestrator};
use crate::events::EventKind;
use crate::inbound::ApprovedHosts;
use crate::io::anchor::keep_anchor;
use crate::io::clock;
use crate::io::git::{open_repository, read_tip};
use crate::io::repository::list_revision;
use crate::model::{Finding, Model, Place, load_model};
use crate::rollout::choose_wave;
use crate::state::{RevisionView, Verdict};
use crate::status::Assignments;
use crate::verify::{Rejection, Terms, VerifiedRevision, verify_commits, verify_commits_after};

impl Orchestrator {
    /// Brings the fleet to the tip of the watched branch.
    ///
    /// Returns the hosts that are to look: something new was published, or their key counts no more.
    ///
    /// # Errors
    /// When the repository, the tree or a signer fails; what was published stays.
    pub fn reconcile(&mut self) -> Result<Vec<HostId>, CycleError> {
        self.reconcile_and_tell(&|_| {})
    }

    /// As [`Orchestrator::reconcile`]; `tell` hears who may still speak as soon as the tip is verified, long before
    /// everything is rendered.
    ///
    /// # Errors
    /// As [`Orchestrator::reconcile`].
    pub fn reconcile_and_tell(&mut self, tell: &dyn Fn(ApprovedHosts)) -> Result<Vec<HostId>, CycleError> {
        let started = Instant::now();
        let repository = open_repository(&self.config.repository)?;
        let branch = format!("refs/heads/{}", self.config.branch);
        let tip = read_tip(&repository, &branch)?.ok_or_else(|| CycleError::NoBranch(self.config.branch.clone()))?;
        let assignments = self.assignments();
        let anchor = assignments.anchor.clone().ok_or(CycleError::NoAnchor)?;
        let attempted = commit_id(tip);
        self.state.fleet_mut().attempted = attempted.clone();
        // What is verified in this run need not be looked at again; after a restart the anchor itself is.
        let effects = self.renders.by(&self.facts);
        let terms = Terms { receipt: clock::now(), fleet: &self.fleet, reference: &branch, effects: &effects };
        let verified = match self.verified.as_ref().filter(|held| held.revision() == anchor) {
            Some(held) => verify_commits_after(&repository, held, tip, &terms),
            None => verify_commits(&repository, oid(&anchor), tip, &terms),
        };
        let revision = match verified {
            Ok(revision) => revision,
            Err(rejection) => {
                self.note_refused(&rejection);
                self.refuse(&repository, tip, &rejection);
                return Ok(Vec::new());
            }
        };
        self.note_revision(&revision)?;
        let published = self.follow(&repository, &revision, &assignments, tell)?;
        self.verified = Some(revision);
        let counters = &self.state.counters;
        counters.reconciles.fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        counters.reconcile_micros.store(micros, Ordering::Relaxed);
        Ok(published)
    }

    /// States that a tip is refused: nothing follows it.
    fn refuse(&self, repository: &Repository, tip: Oid, rejection: &Rejection) {
        let Some(id) = commit_id(tip) else { return };
        let message = match rejection.hint() {
            Some(hint) => format!("{rejection}; {hint}"),
            None => rejection.to_string(),
        };
        tracing::warn!(revision = %id, code = rejection.code(), "{message}");
        self.state_condition("Verified", ConditionStatus::False, rejection.code(), &message, &id);
        let subject = subject_of(repository, tip);
        let known = self.state.revisions().first().is_some_and(|last| last.id == id);
        if !known {
            self.state.events.push(
                clock::now(),
                EventKind::RevisionRejected,
                None,
                format!("{}: {message}", id.short()),
            );
        }
        let verdict = Verdict::Rejected;
        self.state.record_revision(RevisionView {
            id,
            at: clock::now(),
            verdict,
            subject,
            detail: message,
            published: 0,
        });
    }

    /// Follows a verified revision as far as it is sound.
    fn follow(
        &mut self,
        repository: &Repository,
        verified: &VerifiedRevision,
        before: &Assignments,
        tell: &dyn Fn(ApprovedHosts),
    ) -> Result<Vec<HostId>, CycleError> {
        let Some(id) = commit_id(verified.id()) else { return Ok(Vec::new()) };
        keep_anchor(&self.config.data, &id)?;
        self.state.set_policy(Arc::clone(verified.policy()));
        let (model, mut findings) = self.load(&id)?;
        let newest = model.clone();
        self.newest = Some((id.clone(), newest.clone()));
        self.check_bindings();
        let withdrawn = self.withdraw_keys(&newest, &id);
        self.release(verified.messages());
        tell(self.approved_hosts());
        let surveyed = survey(&model, &self.facts, &self.last_renders)?;
        findings.extend(findings_of(&surveyed));
        findings.sort();
        let environments: BTreeSet<String> = model.environments().map(|name| name.to_string()).collect();
        let mut assignments = choose_wave(before, &id, &environments, &findings);
        hold_faulty_hosts(&mut assignments, before, &model, &surveyed);
        self.state_revision(verified, &id, &findings);
        {
            let mut fleet = self.state.fleet_mut();
            fleet.findings = findings.clone();
            fleet.assignments = assignments.clone();
        }
        self.models.insert(id.clone(), model);
        let in_use: HashSet<CommitId> = assignments.revisions().cloned().collect();
        self.models.retain(|revision, _| in_use.contains(revision));
        for revision in in_use {
            if !self.models.contains_key(&revision) {
                let (model, _) = self.load(&revision)?;
                self.models.insert(revision, model);
            }
        }
        let declared = self.declare_hosts(&newest);
        self.keep_serial_lines(&declared);
        let of_this_revision = self.assigned_or_faulty(&id, surveyed);
        let mut published = self.publish_hosts(&declared, &of_this_revision)?;
        self.keep_survey(of_this_revision);
        if findings.is_empty() {
            let messages: Vec<&str> = verified.messages().collect();
            published.extend(self.retire_hosts(&declared, &messages, before.anchor.as_ref())?);
        }
        published.extend(self.retire_reverted()?);
        // A start may find signatures that came before the end.
        self.confirm_reverting();
        published.extend(self.promote_witnessed());
        self.record(repository, verified.id(), &findings, published.len());
        // Who waits for a hint with a key that counts no more is to hear so.
        published.extend(withdrawn);
        Ok(published)
    }

    /// What was surveyed of the hosts that follow `revision`, or that a fault keeps from it.
    fn assigned_or_faulty(
        &self,
        revision: &CommitId,
        surveyed: BTreeMap<HostId, Surveyed>,
    ) -> BTreeMap<HostId, Surveyed> {
        let fleet = self.state.fleet();
        let follows = |id: &HostId| {
            let host = fleet.hosts.get(id)?;
            let environment = fleet.assignments.environments.get(host.environment.as_ref()?);
            Some(host.assigned.as_ref() == Some(revision) || environment == Some(revision))
        };
        surveyed.into_iter().filter(|(id, _)| follows(id) == Some(true)).collect()
    }

    /// Keeps what renders came to, and states why hosts do not follow their environment.
    fn keep_survey(&mut self, surveyed: BTreeMap<HostId, Surveyed>) {
        for (id, Surveyed { result, reads }) in surveyed {
            let content = match result {
                SurveyResult::Content(content) => Some(content),
                SurveyResult::Waiting => None,
                SurveyResult::Faulty(found) => {
                    if let Some(host) = self.state.fleet_mut().hosts.get_mut(&id) {
                        host.hold = Some(hold_for_fault(&found));
                    }
                    self.unsaved.insert(id.clone());
                    None
                }
            };
            self.last_renders.insert(id, LastRender { content, reads });
        }
    }

    /// Loads and checks the model of a verified revision.
    pub(super) fn load(&mut self, revision: &CommitId) -> Result<(Model, Vec<Finding>), CycleError> {
        let files = list_revision(&self.config.repository, revision.as_str())?;
        let (model, mut findings) = load_model(&files, &mut self.cache);
        if let Some(name) = model.fleet().filter(|name| **name != self.fleet) {
            let reason = format!("the fleet is named {name} here, but the keys are of fleet {}", self.fleet);
            findings.push(Finding::new(Place::start_of("muster.yaml"), reason));
        }
        Ok((model, findings))
    }

    /// A host under a new id goes on with the serials of its old one.
    fn keep_serial_lines(&mut self, declared: &BTreeSet<HostId>) {
        let fleet = self.state.fleet();
        for id in declared.iter().filter(|id| !self.heads.contains_key(*id)) {
            let key = fleet.hosts.get(id).and_then(|host| host.key);
            let is_of_key = |head: &&Head| Some(head.host.key) == key && head.epoch == self.epoch;
            let of_key = self.heads.values().filter(is_of_key).map(|head| head.serial);
            if let Some(serial) = of_key.max() {
                let held = self.serials.entry(id.clone()).or_default();
                *held = serial.max(*held);
            }
        }
    }

    fn state_revision(&self, verified: &VerifiedRevision, id: &CommitId, findings: &[Finding]) {
        self.state_condition(
            "Verified",
            ConditionStatus::True,
            "Verified",
            "every commit is signed as policy demands",
            id,
        );
        let (status, reason, message) = match findings.first() {
            None => (ConditionStatus::True, "Sound", "no faults".to_owned()),
            Some(first) => (ConditionStatus::False, "Faulty", format!("{} faults; first: {first}", findings.len())),
        };
        self.state_condition("Sound", status, reason, &message, id);
        tracing::info!(revision = %id, commits = verified.commits().len(), faults = findings.len(), "revision verified");
    }

    fn record(&self, repository: &Repository, tip: Oid, findings: &[Finding], published: usize) {
        let Some(id) = commit_id(tip) else { return };
        let (verdict, kind, detail) = match findings.first() {
            None => (Verdict::Verified, EventKind::RevisionVerified, "signed and sound".to_owned()),
            Some(first) => {
                (Verdict::Faulty, EventKind::RevisionFaulty, format!("{} faults; first: {first}", findings.len()))
            }
        };
        let subject = subject_of(repository, tip);
        let now = clock::now();
        self.state.events.push(now, kind, None, format!("{} {subject}: {detail}", id.short()));
        self.state.record_revision(RevisionView { id, at: now, verdict, subject, detail, published });
    }

    /// States a condition of the fleet.
    pub(super) fn state_condition(
        &self,
        r#type: &str,
        status: ConditionStatus,
        reason: &str,
        message: &str,
        revision: &CommitId,
    ) {
        self.state.fleet_mut().set_condition(Condition {
            r#type: r#type.to_owned(),
            status,
            reason: reason.to_owned(),
            message: message.to_owned(),
            observed_revision: Some(revision.clone()),
            last_transition: clock::now(),
        });
    }
}

/// Hosts with a fault of their own stay at the revision that they have, while
/// their environment goes on.
fn hold_faulty_hosts(
    assignments: &mut Assignments,
    before: &Assignments,
    model: &Model,
    surveyed: &BTreeMap<HostId, Surveyed>,
) {
    for (id, host) in surveyed {
        let (SurveyResult::Faulty(_), Some(declared)) = (&host.result, model.host(id)) else { continue };
        let environment: &str = &declared.environment;
        let held = before.revision_of(id, environment);
        if let Some(held) = held.filter(|held| assignments.environments.get(environment) != Some(held)) {
            assignments.hosts.insert(id.clone(), held.clone());
        }
    }
}

fn commit_id(id: Oid) -> Option<CommitId> {
    id.to_string().parse().ok()
}

fn oid(id: &CommitId) -> Oid {
    Oid::from_str(id.as_str()).unwrap_or(Oid::ZERO_SHA1)
}

fn subject_of(repository: &Repository, id: Oid) -> String {
    let commit = repository.find_commit(id);
    let subject = commit.as_ref().ok().and_then(|commit| commit.summary().ok().flatten()).unwrap_or_default();
    subject.chars().filter(|c| !c.is_control()).take(100).collect()
}
