//! What the door writes into the audit log.

use muster_schema::ReceiptCode;

use super::{Inbound, Source};
use crate::audit::{AuditEntry, Decision};
use crate::inbound::{Refusal, VerifiedMessage};
use crate::io::audit::AuditError;
use crate::io::clock;

impl Inbound {
    /// Writes a step of enrolment down before it is taken. An agent can take it as often as it likes.
    pub(super) fn note_enrolment(&self, sent: &VerifiedMessage, code: &str, source: Source) -> Result<(), AuditError> {
        let who = format!("key:{}", sent.key().fingerprint());
        let kind = format!("{code} {who}");
        let entry = AuditEntry::new(clock::now(), who, "enrol", Decision::Allow, code);
        let approved = self.approved();
        let hosts = approved.current(sent.key()).map(|host| host.id.to_string()).unwrap_or_default();
        let entry = AuditEntry { hosts, ..entry.because(&format!("from {}", source.network())) };
        self.audit.append_limited(entry, &kind)
    }

    /// Writes a refusal down, but not each of a flood.
    pub(super) fn note_refusal(&self, refusal: &Refusal, source: Source) {
        if refusal.code == ReceiptCode::Busy {
            return;
        }
        let (code, network) = (refusal.code.as_str(), source.network());
        let who = match &refusal.answer_to {
            Some(to) => format!("key:{}", to.0.key.fingerprint()),
            None => network.clone(),
        };
        // The id is only a claim where the code says so.
        let hosts = refusal.answer_to.as_ref().map(|to| to.0.id.to_string()).unwrap_or_default();
        let entry = AuditEntry::new(clock::now(), who, "message", Decision::Deny, code);
        let entry = AuditEntry { hosts, ..entry.because(&format!("{} (from {network})", refusal.message)) };
        if let Err(error) = self.audit.append_limited(entry, code) {
            tracing::error!(error = &error as &dyn std::error::Error, "a refusal is not written down");
        }
    }
}
