//! What bears out that a token made a machine a host.

use muster_schema::envelope::SignatureError;
use muster_schema::{FleetName, HostId, PublicKey, Timestamp};

use super::claim::MAX_AHEAD;
use crate::model::{Host, Model};
use crate::status::Binding;

#[cfg(test)]
mod tests;

/// Why a binding is not borne out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotBorneOut {
    /// The revision that it names is not of the history that is trusted.
    #[error("revision {0} is not in the history of the newest one")]
    OtherHistory(String),
    /// The revision is of a branch that was merged, and the merge does not bear it out.
    #[error(
        "revision {named} was never the newest one of the watched branch, and by {merge}, which merged it: {reason}"
    )]
    OnlyBeside {
        /// The revision.
        named: String,
        /// The merge.
        merge: String,
        /// What does not hold there.
        reason: Box<NotBorneOut>,
    },
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
    /// The host was another machine when the token is said to have been used.
    #[error("the host '{host}' had the key {key} then")]
    HadKey {
        /// The host.
        host: HostId,
        /// Its key.
        key: PublicKey,
    },
    /// The host has been another machine since the token is said to have been used.
    #[error("the host '{host}' has been another machine since: 'revoked_keys' in its file takes {key} back")]
    WasOther {
        /// The host.
        host: HostId,
        /// The key of that machine.
        key: PublicKey,
    },
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
/// the token gives the host, which no machine was, and has signed the machine's key and recipient. `newest` is the model
/// of a trusted revision from now: a token of long ago does not come back when the machine that was the host lost it.
///
/// That no other machine used the token first is the orchestrator's word, and so is the time.
///
/// # Errors
/// With the first thing that does not hold.
pub fn verify_binding(binding: &Binding, model: &Model, newest: &Model, fleet: &FleetName) -> Result<(), NotBorneOut> {
    let Binding { claim, host, at, .. } = binding;
    let token = model.tokens().iter().find(|token| token.key == claim.token && *token.name == *binding.name);
    let token = token
        .ok_or_else(|| NotBorneOut::NoToken { name: binding.name.clone(), revision: binding.revision.to_string() })?;
    claim.verify(fleet, &binding.key, &binding.recipient)?;
    if let Some(claimed) = claim.host.as_ref().filter(|claimed| *claimed != host) {
        return Err(NotBorneOut::OtherHost(claimed.clone()));
    }
    let is_there = |host: &&Host| *host.environment == *binding.environment;
    let given = model.host(host).filter(is_there).filter(|host| token.selects(host));
    let given = given.ok_or_else(|| NotBorneOut::NotGiven(host.clone()))?;
    if let Some(key) = given.key.filter(|key| *key != binding.key) {
        return Err(NotBorneOut::HadKey { host: host.clone(), key });
    }
    let revoked = newest.host(host).map_or(&[][..], |host| &host.revoked_keys);
    if let Some(key) = revoked.iter().find(|key| **key != binding.key && !given.revoked_keys.contains(key)) {
        return Err(NotBorneOut::WasOther { host: host.clone(), key: *key });
    }
    if at.plus(MAX_AHEAD) < token.issued || *at >= token.expires {
        return Err(NotBorneOut::Time { issued: token.issued, expires: token.expires, at: *at });
    }
    Ok(())
}
