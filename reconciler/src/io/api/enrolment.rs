//! `GET /api/v1/enrolment`: agents that nobody has approved; `GET /api/v1/enrolment/tokens`: enrolment tokens.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use muster_schema::fleet_api::{PENDING_FILTERS, PendingView, TOKEN_FILTERS, TokenState, TokenUse, TokenView};
use muster_schema::{HostId, PublicKey, Timestamp};

use super::answer::{Refusal, answer_page};
use super::listing::{Listed, page_of, page_of_sorted};
use super::question::Question;
use crate::io::clock;
use crate::model::{EnrolmentToken, TokenHosts};
use crate::state::SharedState;
use crate::status::{Binding, FleetStatus, Pending};

impl Listed for TokenView {
    fn key(&self) -> String {
        self.key.to_string()
    }
}

pub(super) async fn list(
    State(state): State<Arc<SharedState>>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Refusal> {
    let question = Question::of_list(&uri, PENDING_FILTERS)?;
    let name: Option<HostId> = question.value("name")?;
    let mut pending: Vec<PendingView> = state.fleet().pending.iter().map(pending_view).collect();
    pending.retain(|pending| name.as_ref().is_none_or(|name| pending.announce.name == *name));
    let key = |pending: &PendingView| pending.key.to_string();
    pending.sort_by_cached_key(key);
    answer_page(&headers, &question, page_of_sorted(&question, pending, key))
}

fn pending_view((key, pending): (&PublicKey, &Pending)) -> PendingView {
    PendingView {
        key: *key,
        fingerprint: key.fingerprint(),
        first_seen: pending.first_seen,
        replaces: pending.replaces.clone(),
        announce: pending.announce.clone(),
    }
}

/// The tokens of the newest verified revision, and those that were used.
pub(super) async fn tokens(
    State(state): State<Arc<SharedState>>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Refusal> {
    let question = Question::of_list(&uri, TOKEN_FILTERS)?;
    let host: Option<HostId> = question.value("host")?;
    let is_of = |token: &TokenView| match &host {
        Some(host) => token.used.as_ref().is_some_and(|used| used.host == *host),
        None => true,
    };
    let tokens = token_views(&state.fleet(), clock::now()).filter(is_of).collect();
    answer_page(&headers, &question, page_of(&question, tokens)?)
}

fn token_views(fleet: &FleetStatus, now: Timestamp) -> impl Iterator<Item = TokenView> {
    let declared = fleet.tokens.iter().map(move |token| declared_view(token, fleet.bindings.get(&token.key), now));
    let is_gone = |key: &PublicKey| !fleet.tokens.iter().any(|token| token.key == *key);
    let gone = fleet.bindings.iter().filter(move |(key, _)| is_gone(key)).map(|(key, binding)| TokenView {
        name: binding.name.clone(),
        key: *key,
        gives: binding.host.to_string(),
        expires: binding.expires,
        state: state_of(binding),
        used: Some(use_of(binding)),
    });
    declared.chain(gone)
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

fn use_of(binding: &Binding) -> TokenUse {
    let (host, fingerprint) = (binding.host.clone(), binding.key.fingerprint());
    let (environment, recipient) = (binding.environment.clone(), binding.recipient.clone());
    let (key, at, revision, claim) = (binding.key, binding.at, binding.revision.clone(), binding.claim.clone());
    TokenUse { host, key, fingerprint, at, revision, environment, recipient, claim }
}
