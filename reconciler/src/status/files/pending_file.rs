//! `enrolment/pending/<fingerprint>.yaml`: agents that wait for approval.

use muster_schema::PublicKey;
use muster_schema::manifest::HostIdentity;
use muster_schema::message::Announce;
use serde::{Deserialize, Serialize};

use super::PENDING_FOLDER;
use crate::status::Pending;
use crate::status::readable_time::ReadableTime;

/// What the file holds. All but the key is the agent's unproven word.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PendingFile {
    /// What a person compares with what the host shows.
    fingerprint: String,
    pub(super) key: PublicKey,
    first_seen: ReadableTime,
    /// The host whose key of before signed this one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    replaces: Option<HostIdentity>,
    announce: Announce,
}

/// The file of the agent with this key; the name it claims selects nothing.
pub(super) fn path(key: &PublicKey) -> String {
    format!("{PENDING_FOLDER}{}.yaml", key.fingerprint())
}

impl PendingFile {
    pub(super) fn of(key: &PublicKey, pending: &Pending) -> Self {
        Self {
            fingerprint: key.fingerprint(),
            key: *key,
            first_seen: ReadableTime(pending.first_seen),
            replaces: pending.replaces.clone(),
            announce: pending.announce.clone(),
        }
    }

    pub(super) fn into_pending(self) -> Pending {
        Pending { announce: self.announce, replaces: self.replaces, first_seen: self.first_seen.0 }
    }
}
