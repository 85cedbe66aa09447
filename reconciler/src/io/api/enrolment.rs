//! `GET /api/v1/enrolment`: agents that nobody has approved.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use muster_schema::manifest::HostIdentity;
use muster_schema::message::Announce;
use muster_schema::{PublicKey, Timestamp};
use serde::Serialize;

use crate::state::SharedState;

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
