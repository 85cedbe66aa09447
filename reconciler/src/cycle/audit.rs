//! What the cycle writes down: which commits it follows and which it refuses, who is approved.

use std::collections::BTreeSet;

use muster_schema::{CommitId, HostId, PublicKey};

use super::{CycleError, Orchestrator};
use crate::audit::{AuditEntry, Decision};
use crate::io::audit::AuditError;
use crate::io::clock;
use crate::verify::{CommitFault, Rejection, VerifiedRevision, commit_id};

/// So many signers of one step are named.
const MOST_SIGNERS: usize = 8;

impl Orchestrator {
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
        let reason = format!("{} commits", revision.commits().len());
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

    /// Writes down whose keys a revision approves.
    pub(super) fn note_approved(&self, approved: Vec<(HostId, PublicKey, CommitId)>) {
        let entry = |(id, key, revision): (HostId, PublicKey, CommitId)| {
            let who = format!("key:{}", key.fingerprint());
            let entry = AuditEntry::new(clock::now(), who, "enrol", Decision::Allow, "Approved");
            AuditEntry { hosts: id.to_string(), commits: revision.to_string(), ..entry }
        };
        tell(self.audit.append(approved.into_iter().map(entry)));
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
        CommitFault::NotAllowed { who, .. } => Some(format!("signer:{who}")),
        CommitFault::NoTouch { fingerprint }
        | CommitFault::UnknownSigner { fingerprint, .. }
        | CommitFault::SignerNotValidNow { fingerprint, .. }
        | CommitFault::RevokedSigner { fingerprint, .. } => Some(fingerprint.clone()),
        // The key of a signature that does not fit proves nothing.
        _ => None,
    }
}
