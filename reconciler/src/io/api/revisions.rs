//! `GET /api/v1/revisions`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::state::{RevisionRecord, SharedState};

pub(super) async fn list(State(state): State<Arc<SharedState>>) -> Json<Vec<RevisionRecord>> {
    Json(state.revisions())
}
