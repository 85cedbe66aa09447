//! Enrolment tokens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::message::TokenClaim;
use crate::{CommitId, HostId, PublicKey, Timestamp};

/// An enrolment token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenView {
    /// Its name.
    pub name: String,
    /// The public half of its secret.
    pub key: PublicKey,
    /// The host that it gives, or the selector of those.
    pub gives: String,
    /// When it ends.
    pub expires: Timestamp,
    /// How it stands.
    pub state: TokenState,
    /// Who used it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub used: Option<TokenUse>,
}

/// How an enrolment token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenState {
    /// It can be used.
    Open,
    /// Its time is over, and nobody used it.
    Expired,
    /// A machine has used it, and that is being kept.
    Claimed,
    /// A machine is the host by it.
    Used,
    /// A machine has used it, and the host's file says something else by now.
    Ended,
}

/// Who used an enrolment token, and what bears that out together with the token's document in `revision`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenUse {
    /// The host that the machine became.
    pub host: HostId,
    /// The machine's key.
    pub key: PublicKey,
    /// The key's fingerprint.
    pub fingerprint: String,
    /// When.
    pub at: Timestamp,
    /// The revision whose token document was believed.
    pub revision: CommitId,
    /// The environment of the host.
    pub environment: String,
    /// The machine's age recipient.
    pub recipient: String,
    /// What the machine signed with the token's secret.
    pub claim: TokenClaim,
}
