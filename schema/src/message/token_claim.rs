//! Enrolment by a token.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::envelope::{Signature, SignatureError};
use crate::fleet_name::FleetName;
use crate::host_id::HostId;
use crate::key::PublicKey;

/// What an enrolment token says of a machine: it is to be one of the token's hosts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenClaim {
    /// The token's public key.
    pub token: PublicKey,
    /// The host that it is to be; none: whichever is free.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub host: Option<HostId>,
    /// The text of the token's signature over [`claim_statement`].
    pub signature: String,
}

/// What a token signs: which machine it is given to, in which fleet, and as which host (`*`: whichever is free).
///
/// It has neither time nor nonce. It is of use to the holder of `key` alone, who may use it once: as often as it is
/// repeated, it says what it said.
pub fn claim_statement(
    fleet: &FleetName,
    token: &PublicKey,
    key: &PublicKey,
    recipient: &str,
    host: Option<&HostId>,
) -> Vec<u8> {
    let host = host.map_or("*", HostId::as_str);
    format!("muster enrolment\nfleet: {fleet}\ntoken: {token}\nkey: {key}\nrecipient: {recipient}\nhost: {host}\n")
        .into_bytes()
}

impl TokenClaim {
    /// Checks that the token gave itself to the machine with this key and this age recipient.
    ///
    /// # Errors
    /// When it did not sign that.
    pub fn verify(&self, fleet: &FleetName, key: &PublicKey, recipient: &str) -> Result<(), SignatureError> {
        let statement = claim_statement(fleet, &self.token, key, recipient, self.host.as_ref());
        Signature::load(self.signature.as_bytes())?.verify(&statement, &self.token)
    }
}
