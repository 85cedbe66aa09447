//! What bears out that a token made a machine a host.

use muster_schema::envelope::SignatureError;
use muster_schema::{FleetName, HostId, Timestamp};

use super::claim::MAX_AHEAD;
use crate::model::Model;
use crate::status::Binding;

#[cfg(test)]
mod tests;

/// Why a binding is not borne out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotBorneOut {
    /// The revision that it names is not of the history that is trusted.
    #[error("revision {0} is not in the history of the newest one")]
    OtherHistory(String),
    /// The revision has no such token.
    #[error("revision {revision} has no token '{name}' with this key")]
    NoToken {
        /// The token.
        name: String,
        /// The revision.
        revision: String,
    },
    /// The token did not sign that.
    #[error("the token did not sign that this machine is to be the host: {0}")]
    Claim(#[from] SignatureError),
    /// The token signed another host.
    #[error("the token signed that the machine is to be '{0}'")]
    OtherHost(HostId),
    /// The token gives other hosts.
    #[error("the token does not give the host '{0}'")]
    NotGiven(HostId),
    /// The token did not count when it was used.
    #[error("the token counted from {issued} to {expires}, and is said to have been used at {at}")]
    Time {
        /// From when.
        issued: Timestamp,
        /// Until when.
        expires: Timestamp,
        /// When it was used.
        at: Timestamp,
    },
}

/// Checks a binding by `model`, the model of the revision that it names, which is trusted: that revision has the token,
/// the token gives the host, and has signed the machine's key and recipient.
///
/// That no other machine used the token first is the orchestrator's word, and so is the time.
///
/// # Errors
/// With the first thing that does not hold.
pub fn verify_binding(binding: &Binding, model: &Model, fleet: &FleetName) -> Result<(), NotBorneOut> {
    let Binding { claim, host, at, .. } = binding;
    let token = model.tokens().iter().find(|token| token.key == claim.token && *token.name == *binding.name);
    let token = token
        .ok_or_else(|| NotBorneOut::NoToken { name: binding.name.clone(), revision: binding.revision.to_string() })?;
    claim.verify(fleet, &binding.key, &binding.recipient)?;
    if let Some(claimed) = claim.host.as_ref().filter(|claimed| *claimed != host) {
        return Err(NotBorneOut::OtherHost(claimed.clone()));
    }
    if !model.host(host).is_some_and(|host| token.selects(host)) {
        return Err(NotBorneOut::NotGiven(host.clone()));
    }
    if at.plus(MAX_AHEAD) < token.issued || *at >= token.expires {
        return Err(NotBorneOut::Time { issued: token.issued, expires: token.expires, at: *at });
    }
    Ok(())
}
