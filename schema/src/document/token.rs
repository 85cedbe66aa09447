//! Enrolment tokens.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Selector;
use crate::host_id::HostId;
use crate::key::PublicKey;

/// `enrolment/tokens/<name>.yaml`: whoever has the token's secret can make one machine one of these hosts, once. They
/// stand in the repository without a key, so what the machine becomes is said beforehand. `muster host token` writes
/// it.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenDocument {
    /// The token's public key.
    pub key: PublicKey,
    /// The host that a machine becomes with it. Either this or `hosts`.
    pub host: Option<HostId>,
    /// Hosts of which a machine becomes one: the one of its name, else the first that no machine is yet.
    pub hosts: Option<Selector>,
    /// From when on it counts: a time with its zone, as in `2026-12-01T09:00:00Z`.
    pub issued: String,
    /// From when on it counts no more: likewise, at most 30 days later.
    pub expires: String,
}
