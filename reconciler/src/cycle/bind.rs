//! Machines that become hosts by enrolment tokens.
//!
//! A claim is judged here, one after the other. What it comes to is in a status commit, and that where the remote has
//! it, before it makes a machine a host: a token is used once, whatever disk is lost.

use std::collections::BTreeMap;
use std::time::Duration;

use muster_schema::manifest::HostIdentity;
use muster_schema::message::{Announce, Body, Receipt, TokenClaim};
use muster_schema::{HostId, PublicKey, ReceiptCode, Timestamp};

use super::Orchestrator;
use crate::audit::{AuditEntry, Decision};
use crate::enrolment::{ClaimRefused, Claimant, Claimed, judge_claim};
use crate::events::EventKind;
use crate::io::audit::AuditError;
use crate::io::clock;
use crate::io::git::open_repository;
use crate::io::token_proof::{TokenProofError, verify_binding_below};
use crate::model::Model;
use crate::status::{Binding, FleetStatus, Standing};

/// A used token that binds nobody is forgotten so long after it expired.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

impl Orchestrator {
    /// Takes a claim: what becomes of it, for the agent.
    pub(super) fn take_claim(&mut self, sender: &HostIdentity, announce: &Announce, claim: &TokenClaim) -> Body {
        let claimant = Claimant { key: sender.key, recipient: &announce.recipient, name: &announce.name, claim };
        match self.judge_claim(&claimant) {
            Ok(Some(Claimed::Now(binding))) => {
                if let Err(error) = self.note_claimed(&binding) {
                    tracing::error!(error = &error as &dyn std::error::Error, "a claim cannot be written down");
                    return receipt(false, ReceiptCode::Busy, "the claim cannot be written down now");
                }
                let message = format!("a machine is to be it, by the token '{}'", binding.name);
                self.state.events.push(clock::now(), EventKind::TokenClaimed, Some(binding.host.clone()), message);
                self.unsaved.insert(binding.host.clone());
                self.state.fleet_mut().bindings.insert(claim.token, *binding);
                receipt(true, ReceiptCode::Pending, "the token is taken; that is being kept")
            }
            Ok(Some(Claimed::Before)) => receipt(true, ReceiptCode::Pending, "the token was taken; that is being kept"),
            Ok(None) => receipt(false, ReceiptCode::Busy, "no revision is verified yet"),
            Err(refused) => receipt(false, refused.code(), &refused.to_string()),
        }
    }

    fn judge_claim(&self, claimant: &Claimant<'_>) -> Result<Option<Claimed>, ClaimRefused> {
        let Some((revision, newest)) = &self.newest else { return Ok(None) };
        judge_claim(claimant, newest, revision, &self.state.fleet(), clock::now()).map(Some)
    }

    /// What is to be written takes its way: see [`Standing`].
    pub(super) fn bindings_committing(&mut self) {
        self.move_bindings(Standing::New, Standing::Committing);
    }

    pub(super) fn bindings_committed(&mut self, done: bool) {
        self.move_bindings(Standing::Committing, if done { Standing::Committed } else { Standing::New });
    }

    /// The remote has what was committed. From the next reconcile on these machines are hosts.
    pub(super) fn bindings_pushed(&mut self) {
        self.bound |= self.move_bindings(Standing::Committed, Standing::Counts);
    }

    /// Whether machines became hosts since this was asked last.
    pub(super) fn take_bound(&mut self) -> bool {
        std::mem::take(&mut self.bound)
    }

    fn move_bindings(&self, from: Standing, to: Standing) -> bool {
        let mut fleet = self.state.fleet_mut();
        let moved = fleet.bindings.values_mut().filter(|binding| binding.standing == from);
        moved.map(|binding| binding.standing = to).count() > 0
    }

    /// Checks what the status branch says of tokens: the revision is one that was verified, its document has the
    /// token's key, and that gave the host. Who has the status key alone makes no machine a host.
    pub(super) fn check_bindings(&mut self) {
        let Some(anchor) = self.assignments().anchor else { return };
        let unchecked: Vec<(PublicKey, Binding)> = {
            let fleet = self.state.fleet();
            let unchecked = |binding: &&Binding| binding.standing == Standing::Unchecked;
            fleet.bindings.iter().filter(|(_, b)| unchecked(b)).map(|(key, b)| (*key, b.clone())).collect()
        };
        if unchecked.is_empty() {
            return;
        }
        let Ok(repository) = open_repository(&self.config.repository) else { return };
        // A repository that does not have the anchor yet cannot tell.
        let Ok(anchor) = anchor.as_str().parse::<git2::Oid>() else { return };
        if repository.find_commit(anchor).is_err() {
            return;
        }
        let name = self.state.fleet().fleet.clone();
        for (token, binding) in unchecked {
            let standing = match verify_binding_below(&repository, anchor, &name, &binding) {
                Ok(()) => Standing::Counts,
                Err(error @ TokenProofError::Repository(_)) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a used token cannot be checked yet");
                    continue;
                }
                Err(TokenProofError::NotBorneOut(reason)) => {
                    let (host, name) = (&binding.host, &binding.name);
                    tracing::warn!(%host, name, %reason, "a used token makes no machine a host");
                    Standing::Refused
                }
            };
            if let Some(held) = self.state.fleet_mut().bindings.get_mut(&token) {
                held.standing = standing;
            }
        }
    }

    /// Ends what does not bind any more by `newest`: the host's file has another key, or takes the machine's back, or
    /// had it and has it no more; or the host has left.
    pub(super) fn settle_bindings(&mut self, newest: &Model) {
        let now = clock::now();
        let mut changed = Vec::new();
        {
            let fleet = &mut *self.state.fleet_mut();
            for binding in fleet.bindings.values_mut().filter(|binding| binding.ended.is_none()) {
                let before = (binding.confirmed, binding.ended);
                match newest.host(&binding.host) {
                    Some(host) if host.key_unread => {}
                    Some(host) if host.key == Some(binding.key) => binding.confirmed = true,
                    Some(host) => {
                        let is_over = host.key.is_some() || binding.confirmed;
                        binding.ended = (is_over || host.revoked_keys.contains(&binding.key)).then_some(now);
                    }
                    None => {
                        let retired = fleet.hosts.get(&binding.host).is_none_or(|host| host.retired.is_some());
                        binding.ended = retired.then_some(now);
                    }
                }
                if before != (binding.confirmed, binding.ended) {
                    changed.push(binding.host.clone());
                }
            }
        }
        self.unsaved.extend(changed);
    }

    fn note_claimed(&self, binding: &Binding) -> Result<(), AuditError> {
        let who = format!("key:{}", binding.key.fingerprint());
        let entry = AuditEntry::new(clock::now(), who, "enrol", Decision::Allow, "TokenClaimed");
        let entry = entry.because(&format!("by the token '{}'", binding.name));
        let (hosts, commits) = (binding.host.to_string(), binding.revision.to_string());
        self.audit.append([AuditEntry { hosts, commits, ..entry }])
    }
}

/// The bindings that count, by host.
pub(super) fn bindings_by_host(fleet: &FleetStatus) -> BTreeMap<HostId, Binding> {
    let counts = fleet.bindings.values().filter(|binding| binding.counts());
    counts.map(|binding| (binding.host.clone(), binding.clone())).collect()
}

/// Forgets used tokens that say nothing any more: nobody could use them again either.
pub(super) fn forget_old_bindings(fleet: &mut FleetStatus, now: Timestamp) {
    fleet.bindings.retain(|_, binding| binding.ended.is_none() || now.since(binding.expires) < FORGOTTEN_AFTER);
}

fn receipt(accepted: bool, code: ReceiptCode, message: &str) -> Body {
    Body::Receipt(Receipt { accepted, code: code.to_string(), message: message.to_owned(), seq: None })
}
