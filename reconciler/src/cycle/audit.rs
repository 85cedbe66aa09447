//! What the cycle writes down: which commits it follows and which it refuses, who is approved.

use std::collections::BTreeSet;

use muster_schema::breakglass::BreakGlassReport;
use muster_schema::condition::ConditionStatus;
use muster_schema::report::Applied;
use muster_schema::{CommitId, HostId, PublicKey};

use super::{CycleError, Orchestrator};
use crate::audit::{AuditEntry, CHECKPOINT_PATH, CheckpointSeen, Decision, check_end_of_log};
use crate::bundle::SignedHead;
use crate::io::audit::{AuditError, read_log};
use crate::io::clock;
use crate::io::git::StatusTree;
use crate::io::key_folder::SignedRoot;
use crate::verify::{CommitFault, Rejection, VerifiedRevision, commit_id};

/// Whether the audit log was found as it was left.
const CONDITION: &str = "AuditLogIntact";
/// So many signers of one step are named.
const MOST_SIGNERS: usize = 8;

impl Orchestrator {
    /// Looks whether the log is the one of the newest checkpoint, and says so where it is not: as a condition, and as
    /// the next line of the log, so that it stays said.
    ///
    /// # Errors
    /// When the log cannot be read or written.
    pub(super) fn check_audit_log(&mut self, status: &StatusTree) -> Result<(), CycleError> {
        let Some(bytes) = status.files.get(CHECKPOINT_PATH) else { return Ok(()) };
        let Ok(checkpoint) = serde_json::from_slice(bytes) else {
            tracing::warn!(path = CHECKPOINT_PATH, "a status file does not count");
            return Ok(());
        };
        let seen = CheckpointSeen { commit: status.commit.to_string(), checkpoint };
        let faults = check_end_of_log(&read_log(self.audit.folder())?, &[seen]);
        let Some(anchor) = self.assignments().anchor else { return Ok(()) };
        let Some(fault) = faults.first() else {
            self.state_condition(CONDITION, ConditionStatus::True, "Intact", "", &anchor);
            return Ok(());
        };
        tracing::error!("the audit log is not what it was: {fault}");
        self.state_condition(CONDITION, ConditionStatus::False, "Changed", &fault.to_string(), &anchor);
        let entry = AuditEntry::new(clock::now(), "muster", "start", Decision::Deny, "AuditLogChanged");
        Ok(self.audit.append([entry.because(&fault.to_string())])?)
    }

    /// Writes down that a revision is followed, once.
    ///
    /// # Errors
    /// When it cannot be written; then it is not to be followed.
    pub(super) fn note_revision(&mut self, revision: &VerifiedRevision) -> Result<(), CycleError> {
        let id = revision.revision();
        if revision.commits().is_empty() || self.audited.as_ref() == Some(&id) {
            return Ok(());
        }
        let signers: BTreeSet<String> =
            revision.commits().iter().map(|commit| commit.signer.principals.join(",")).collect();
        let who: Vec<String> = signers.iter().take(MOST_SIGNERS).map(|signer| format!("signer:{signer}")).collect();
        let more = signers.len().saturating_sub(MOST_SIGNERS);
        let who = if more == 0 { who.join(" ") } else { format!("{} and {more} more", who.join(" ")) };
        let entry = AuditEntry::new(clock::now(), who, self.push_action(), Decision::Allow, "Verified");
        let commits = format!("{}..{id}", commit_id(revision.anchor()));
        let count = revision.commits().len();
        let reason = if count == 1 { "1 commit".to_owned() } else { format!("{count} commits") };
        self.audit.append([AuditEntry { commits, ..entry.because(&reason) }])?;
        self.audited = Some(id);
        Ok(())
    }

    /// Writes down which commits are refused.
    pub(super) fn note_refused(&self, rejection: &Rejection) {
        for refused in &rejection.commits {
            let who = signer_of(&refused.fault).unwrap_or_else(|| "unknown".to_owned());
            let code = refused.fault.code();
            let entry = AuditEntry::new(clock::now(), who, self.push_action(), Decision::Deny, code);
            let commits = commit_id(refused.id).to_string();
            let entry = AuditEntry { commits, ..entry.because(&refused.fault.to_string()) };
            tell(self.audit.append_limited(entry, code));
        }
    }

    /// Writes down whose keys a revision approves or takes back.
    pub(super) fn note_keys(&self, keys: Vec<(HostId, PublicKey, CommitId)>, decision: Decision, code: &str) {
        let entry = |(id, key, revision): (HostId, PublicKey, CommitId)| {
            let who = format!("key:{}", key.fingerprint());
            let entry = AuditEntry::new(clock::now(), who, "enrol", decision, code);
            AuditEntry { hosts: id.to_string(), commits: revision.to_string(), ..entry }
        };
        tell(self.audit.append(keys.into_iter().map(entry)));
    }

    /// Writes down which root documents count from now on, and by whose signatures.
    ///
    /// # Errors
    /// When it cannot be written; then they are not to count.
    pub(super) fn note_roots(&self, roots: &[SignedRoot]) -> Result<(), CycleError> {
        let entry = |(root, signatures): &SignedRoot| {
            let keys: Vec<String> = signatures.iter().map(|signature| format!("key:{}", signature.key())).collect();
            let action = format!("root {}", root.root().version);
            let entry = AuditEntry::new(clock::now(), keys.join(" "), action, Decision::Allow, "RootFollowed");
            entry.because(&format!("epoch {}", root.root().epoch))
        };
        Ok(self.audit.append(roots.iter().map(entry))?)
    }

    /// Writes down which hosts get a last head.
    ///
    /// # Errors
    /// When it cannot be written; then they are not to get it.
    pub(super) fn note_retired(&self, heads: &[SignedHead]) -> Result<(), CycleError> {
        let entry = |head: &SignedHead| {
            let head = head.head();
            let code = if head.retired { "Retired" } else { "Renamed" };
            let entry = AuditEntry::new(clock::now(), "muster", "retire", Decision::Allow, code);
            let entry = AuditEntry { hosts: head.host.id.to_string(), commits: head.revision.to_string(), ..entry };
            head.renamed.as_ref().map_or(entry.clone(), |new| entry.because(&format!("its key is the one of {new}")))
        };
        Ok(self.audit.append(heads.iter().map(entry))?)
    }

    /// Writes down that a host says that break-glass keys gave it what it has, or that this has come to an end. After a
    /// crash it may be written down twice.
    pub(super) fn note_break_glass(&self, id: &HostId, report: Option<&BreakGlassReport>, applied: Option<&Applied>) {
        let code = if report.is_some() { "BreakGlass" } else { "BreakGlassEnded" };
        let keys = report.iter().flat_map(|report| &report.signers).take(MOST_SIGNERS);
        let keys: Vec<String> = keys.map(|key| format!("key:{}", key.id())).collect();
        let who = if keys.is_empty() { format!("host:{id}") } else { keys.join(" ") };
        let entry = AuditEntry::new(clock::now(), who, "breakglass", Decision::Allow, code);
        let commits = applied.map(|applied| applied.revision.to_string()).unwrap_or_default();
        let serial = applied.map_or(0, |applied| applied.serial);
        let entry = AuditEntry { hosts: id.to_string(), commits, ..entry };
        tell(self.audit.append_limited(entry.because(&format!("the host says so, of serial {serial}")), code));
    }

    /// Writes down that an agent which nobody approved waits.
    pub(super) fn note_announced(&self, key: &PublicKey, name: &HostId) {
        let who = format!("key:{}", key.fingerprint());
        let entry = AuditEntry::new(clock::now(), who, "enrol", Decision::Deny, "Pending");
        tell(self.audit.append_limited(entry.because(&format!("it calls itself '{name}'")), "Pending"));
    }

    fn push_action(&self) -> String {
        format!("push {}", self.config.branch)
    }
}

fn tell(written: Result<(), AuditError>) {
    if let Err(error) = written {
        tracing::error!(error = &error as &dyn std::error::Error, "a decision is not written down");
    }
}

/// Who signed a commit that is refused, as far as that is known.
fn signer_of(fault: &CommitFault) -> Option<String> {
    match fault {
        CommitFault::NotAllowed { who, .. }
        | CommitFault::EffectNotAllowed { who, .. }
        | CommitFault::EffectUnknown { who, .. } => Some(format!("signer:{who}")),
        CommitFault::NoTouch { fingerprint }
        | CommitFault::UnknownSigner { fingerprint, .. }
        | CommitFault::SignerNotValidNow { fingerprint, .. } => Some(fingerprint.clone()),
        // Of the others no signature was found to fit: the key that they name is a claim.
        _ => None,
    }
}
