//! Which host a machine becomes by an enrolment token.

use std::time::Duration;

use muster_schema::message::TokenClaim;
use muster_schema::{CommitId, HostId, PublicKey, ReceiptCode, Timestamp};

use crate::model::{EnrolmentToken, Host, Model};
use crate::status::{Binding, FleetStatus, Standing};

#[cfg(test)]
mod tests;

/// So far the clock of who made a token may be ahead of ours.
pub(super) const MAX_AHEAD: Duration = Duration::from_secs(5 * 60);

/// A machine that shows a token.
#[derive(Debug, Clone, Copy)]
pub struct Claimant<'a> {
    /// Its key, which has signed the announcement.
    pub key: PublicKey,
    /// The age recipient that it announced.
    pub recipient: &'a str,
    /// The name that it would like.
    pub name: &'a HostId,
    /// What the token says.
    pub claim: &'a TokenClaim,
}

/// Why a claim is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClaimRefused {
    /// The newest verified revision has no such token.
    #[error("no verified revision has this token now; is its commit pushed, and not taken back?")]
    Unknown,
    /// It did not sign that.
    #[error("the token did not sign this claim: {0}")]
    Invalid(#[from] muster_schema::envelope::SignatureError),
    /// It does not count at this time.
    #[error("the token '{name}' counts from {issued} to {expires}, and it is {now}")]
    Expired {
        /// The token.
        name: String,
        /// From when.
        issued: Timestamp,
        /// Until when.
        expires: Timestamp,
        /// By the orchestrator's clock.
        now: Timestamp,
    },
    /// Another machine has used it.
    #[error("the token '{name}' was used at {at}, by the machine with the key {fingerprint}")]
    Used {
        /// The token.
        name: String,
        /// When.
        at: Timestamp,
        /// Of the machine's key.
        fingerprint: String,
    },
    /// The machine's key is one that was taken back.
    #[error("the key of this machine was taken back; remove its keys folder, and it makes others")]
    KeyRevoked,
    /// The machine asks for a host that it cannot have.
    #[error("'{0}' is no host that this token gives, or a machine is it already")]
    HostTaken(HostId),
    /// There is nothing that it could have.
    #[error("every host that the token '{0}' gives is some machine already")]
    NoneFree(String),
}

impl ClaimRefused {
    /// The code that the agent is told.
    pub fn code(&self) -> ReceiptCode {
        match self {
            ClaimRefused::Unknown => ReceiptCode::TokenUnknown,
            ClaimRefused::Invalid(_) => ReceiptCode::TokenInvalid,
            ClaimRefused::Expired { .. } => ReceiptCode::TokenExpired,
            ClaimRefused::Used { .. } => ReceiptCode::TokenUsed,
            ClaimRefused::KeyRevoked => ReceiptCode::KeyRevoked,
            ClaimRefused::HostTaken(_) | ClaimRefused::NoneFree(_) => ReceiptCode::TokenHostTaken,
        }
    }
}

/// What a claim comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// The machine is to be this host from now on.
    Now(Box<Binding>),
    /// The machine is about to be a host already.
    Before,
}

/// Judges a claim at `now`: by the tokens and hosts of `newest`, the verified revision `revision`, and by what was
/// claimed before.
///
/// # Errors
/// When the machine becomes nothing by it.
pub fn judge_claim(
    claimant: &Claimant<'_>,
    newest: &Model,
    revision: &CommitId,
    fleet: &FleetStatus,
    now: Timestamp,
) -> Result<Claimed, ClaimRefused> {
    let Claimant { key, recipient, name, claim } = *claimant;
    let used = fleet.bindings.get(&claim.token);
    let token = newest.tokens().iter().find(|token| token.key == claim.token);
    let known = token.is_some() || used.is_some();
    if known {
        claim.verify(&fleet.fleet, &key, recipient)?;
    }
    if let Some(binding) = used {
        return match binding.key == key && binding.is_open() {
            true => Ok(Claimed::Before),
            false => Err(used_by(binding)),
        };
    }
    let token = token.ok_or(ClaimRefused::Unknown)?;
    // One machine is one host, whatever tokens it has.
    let is_bound = fleet.bindings.values().any(|binding| binding.key == key && binding.is_open());
    if is_bound || newest.hosts().any(|host| host.key == Some(key)) {
        return Ok(Claimed::Before);
    }
    if newest.hosts().any(|host| host.revoked_keys.contains(&key)) {
        return Err(ClaimRefused::KeyRevoked);
    }
    if now.plus(MAX_AHEAD) < token.issued || now >= token.expires {
        let (name, issued, expires) = (token.name.to_string(), token.issued, token.expires);
        return Err(ClaimRefused::Expired { name, issued, expires, now });
    }
    let host = choose_host(token, claim.host.as_ref(), name, newest, fleet)?;
    Ok(Claimed::Now(Box::new(Binding {
        name: token.name.to_string(),
        revision: revision.clone(),
        expires: token.expires,
        host: host.id.clone(),
        environment: host.environment.to_string(),
        key,
        recipient: recipient.to_owned(),
        claim: claim.clone(),
        at: now,
        confirmed: false,
        ended: None,
        standing: Standing::New,
    })))
}

fn used_by(binding: &Binding) -> ClaimRefused {
    let (name, at, fingerprint) = (binding.name.clone(), binding.at, binding.key.fingerprint());
    ClaimRefused::Used { name, at, fingerprint }
}

/// The claimed host; else the one of the machine's name; else the first that is free.
fn choose_host<'m>(
    token: &EnrolmentToken,
    claimed: Option<&HostId>,
    name: &HostId,
    newest: &'m Model,
    fleet: &FleetStatus,
) -> Result<&'m Host, ClaimRefused> {
    let is_free = |host: &&Host| token.selects(host) && is_unbound(host, fleet);
    let find = |id: &HostId| newest.host(id).filter(is_free);
    match claimed {
        Some(id) => find(id).ok_or_else(|| ClaimRefused::HostTaken(id.clone())),
        None => {
            let first = || newest.hosts().find(is_free);
            find(name).or_else(first).ok_or_else(|| ClaimRefused::NoneFree(token.name.to_string()))
        }
    }
}

/// Whether no machine is the host, nor is about to be.
fn is_unbound(host: &Host, fleet: &FleetStatus) -> bool {
    let has_key = host.key.is_some() || host.key_unread || fleet.hosts.get(&host.id).is_some_and(|it| it.key.is_some());
    !has_key && !fleet.bindings.values().any(|binding| binding.host == host.id && binding.is_open())
}
