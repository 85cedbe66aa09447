//! `GET /api/v1/enrolment`: agents that nobody has approved; `GET /api/v1/enrolment/tokens`: enrolment tokens.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use muster_schema::manifest::HostIdentity;
use muster_schema::message::{Announce, TokenClaim};
use muster_schema::{CommitId, HostId, PublicKey, Timestamp};
use serde::Serialize;

use crate::io::clock;
use crate::model::{EnrolmentToken, TokenHosts};
use crate::state::SharedState;
use crate::status::Binding;

/// An agent that waits for approval.
#[derive(Debug, Serialize)]
pub(super) struct PendingView {
    key: PublicKey,
    fingerprint: String,
    first_seen: Timestamp,
    /// The host that is to be re-keyed: its key of before says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces: Option<HostIdentity>,
    announce: Announce,
}

pub(super) async fn list(State(state): State<Arc<SharedState>>) -> Json<Vec<PendingView>> {
    let fleet = state.fleet();
    let view = |(key, pending): (&PublicKey, &crate::status::Pending)| PendingView {
        key: *key,
        fingerprint: key.fingerprint(),
        first_seen: pending.first_seen,
        replaces: pending.replaces.clone(),
        announce: pending.announce.clone(),
    };
    Json(fleet.pending.iter().map(view).collect())
}

/// An enrolment token.
#[derive(Debug, Serialize)]
pub(super) struct TokenView {
    name: String,
    key: PublicKey,
    /// The host that it gives, or the selector of those.
    gives: String,
    expires: Timestamp,
    state: TokenState,
    /// Who used it.
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<UseView>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum TokenState {
    Open,
    Expired,
    /// A machine has used it, and that is being kept.
    Claimed,
    /// A machine is the host by it.
    Used,
    /// A machine has used it, and the host's file says something else by now.
    Ended,
}

#[derive(Debug, Serialize)]
struct UseView {
    host: HostId,
    key: PublicKey,
    fingerprint: String,
    at: Timestamp,
    revision: CommitId,
    /// What bears it out, together with the token's document in `revision`.
    environment: String,
    recipient: String,
    claim: TokenClaim,
}

/// The tokens of the newest verified revision, and those that were used.
pub(super) async fn tokens(State(state): State<Arc<SharedState>>) -> Json<Vec<TokenView>> {
    let (fleet, now) = (state.fleet(), clock::now());
    let declared = fleet.tokens.iter().map(|token| declared_view(token, fleet.bindings.get(&token.key), now));
    let is_gone = |key: &PublicKey| !fleet.tokens.iter().any(|token| token.key == *key);
    let gone = fleet.bindings.iter().filter(|(key, _)| is_gone(key)).map(|(key, binding)| TokenView {
        name: binding.name.clone(),
        key: *key,
        gives: binding.host.to_string(),
        expires: binding.expires,
        state: state_of(binding),
        used: Some(use_of(binding)),
    });
    Json(declared.chain(gone).collect())
}

fn declared_view(token: &EnrolmentToken, binding: Option<&Binding>, now: Timestamp) -> TokenView {
    let gives = match &token.hosts {
        TokenHosts::One(id) => id.to_string(),
        TokenHosts::Selected(selector) => selector.to_string(),
    };
    let state = match binding {
        Some(binding) => state_of(binding),
        None if now >= token.expires => TokenState::Expired,
        None => TokenState::Open,
    };
    let (name, used) = (token.name.to_string(), binding.map(use_of));
    TokenView { name, key: token.key, gives, expires: token.expires, state, used }
}

fn state_of(binding: &Binding) -> TokenState {
    match (binding.counts(), binding.is_open()) {
        (true, _) => TokenState::Used,
        (false, true) => TokenState::Claimed,
        (false, false) => TokenState::Ended,
    }
}

fn use_of(binding: &Binding) -> UseView {
    let (host, fingerprint) = (binding.host.clone(), binding.key.fingerprint());
    let (environment, recipient) = (binding.environment.clone(), binding.recipient.clone());
    let (key, at, revision, claim) = (binding.key, binding.at, binding.revision.clone(), binding.claim.clone());
    UseView { host, key, fingerprint, at, revision, environment, recipient, claim }
}
