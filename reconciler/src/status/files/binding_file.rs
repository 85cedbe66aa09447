//! `enrolment/tokens/<fingerprint>.yaml`: used enrolment tokens.

use muster_schema::message::TokenClaim;
use muster_schema::{CommitId, HostId, PublicKey};
use serde::{Deserialize, Serialize};

use super::TOKENS_FOLDER;
use crate::status::readable_time::ReadableTime;
use crate::status::{Binding, Standing};

/// What the file holds. The claim is the token's own signed word.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BindingFile {
    token: String,
    revision: CommitId,
    expires: ReadableTime,
    host: HostId,
    environment: String,
    key: PublicKey,
    recipient: String,
    at: ReadableTime,
    claim: TokenClaim,
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    confirmed: bool,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    ended: Option<ReadableTime>,
}

/// The file of the token with this key.
pub(super) fn path(token: &PublicKey) -> String {
    format!("{TOKENS_FOLDER}{}.yaml", token.fingerprint())
}

impl BindingFile {
    pub(super) fn of(binding: &Binding) -> Self {
        Self {
            token: binding.name.clone(),
            revision: binding.revision.clone(),
            expires: ReadableTime(binding.expires),
            host: binding.host.clone(),
            environment: binding.environment.clone(),
            key: binding.key,
            recipient: binding.recipient.clone(),
            at: ReadableTime(binding.at),
            claim: binding.claim.clone(),
            confirmed: binding.confirmed,
            ended: binding.ended.map(ReadableTime),
        }
    }

    pub(super) fn into_binding(self) -> Binding {
        Binding {
            name: self.token,
            revision: self.revision,
            expires: self.expires.0,
            host: self.host,
            environment: self.environment,
            key: self.key,
            recipient: self.recipient,
            claim: self.claim,
            at: self.at.0,
            confirmed: self.confirmed,
            ended: self.ended.map(|time| time.0),
            standing: Standing::Unchecked,
        }
    }
}
