//! Two machines with one key: who is suspected.

use std::collections::HashSet;
use std::sync::PoisonError;

use muster_schema::manifest::HostIdentity;
use muster_schema::message::{Body, Presence};

use super::{Inbound, Source};
use crate::audit::{AuditEntry, Decision};
use crate::inbound::{Copies, VerifiedMessage};
use crate::io::clock;

/// What was noticed of every host's starts, and who is two machines by that.
#[derive(Debug, Default)]
pub(super) struct Suspicions {
    starts: Copies,
    suspected: HashSet<HostIdentity>,
}

impl Inbound {
    /// Hosts that two machines say to be, with one key.
    pub fn copied(&self) -> Vec<HostIdentity> {
        self.suspicions().suspected.iter().cloned().collect()
    }

    /// Begins anew with a host: somebody has looked at it.
    pub fn release(&self, host: &HostIdentity) {
        let mut suspicions = self.suspicions();
        suspicions.starts.forget(&host.key);
        suspicions.suspected.remove(host);
    }

    /// Whether a presence shows that there are two machines.
    pub(super) fn note_presence(&self, sent: &VerifiedMessage) -> bool {
        let Some((start, heard)) = start_of(sent) else { return false };
        self.suspicions().starts.note_presence(*sent.key(), start, heard)
    }

    /// Notes what a presence is answered.
    pub(super) fn note_answer(&self, sent: &VerifiedMessage, answer: Option<&str>) {
        if let (Some((start, _)), Some(answer)) = (start_of(sent), answer) {
            self.suspicions().starts.note_answer(sent.key(), start, answer);
        }
    }

    /// From now on the host is suspected; written down once.
    pub(super) fn suspect(&self, sent: &VerifiedMessage, source: Source) {
        if !self.suspicions().suspected.insert(sent.host().clone()) {
            return;
        }
        let who = format!("key:{}", sent.key().fingerprint());
        let entry = AuditEntry::new(clock::now(), who, "presence", Decision::Deny, "CloneSuspected");
        let entry = entry.because(&format!("two machines speak with this key; one from {}", source.network()));
        if let Err(error) = self.audit.append([AuditEntry { hosts: sent.host().id.to_string(), ..entry }]) {
            tracing::error!(error = &error as &dyn std::error::Error, "a suspicion is not written down");
        }
        self.desk.changed();
    }

    fn suspicions(&self) -> std::sync::MutexGuard<'_, Suspicions> {
        self.copies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The start that a presence names, of an agent that names one in the usual form, and what it has heard.
fn start_of(sent: &VerifiedMessage) -> Option<(&str, Option<&str>)> {
    let Body::Presence(Presence { start: Some(start), heard, .. }) = &sent.message().body else { return None };
    (start.len() == 32).then_some((start, heard.as_deref()))
}
