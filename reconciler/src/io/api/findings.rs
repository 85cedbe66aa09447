//! `GET /api/v1/findings`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::model::Finding;
use crate::state::SharedState;

pub(super) async fn list(State(state): State<Arc<SharedState>>) -> Json<Vec<Finding>> {
    Json(state.fleet().findings.clone())
}
