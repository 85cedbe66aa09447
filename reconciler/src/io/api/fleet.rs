//! `GET /api/v1/fleet`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use muster_schema::fleet_api::FleetView;

use super::answer::{Refusal, answer_one};
use super::question::Question;
use crate::io::clock;
use crate::state::SharedState;

pub(super) async fn get(
    State(state): State<Arc<SharedState>>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Refusal> {
    let question = Question::of_one(&uri)?;
    answer_one(&headers, &question, &view(&state))
}

fn view(state: &SharedState) -> FleetView {
    let counts = state.count_axes(clock::now());
    let axes = counts.into_iter().map(|((axis, value), n)| (format!("{axis}/{value}"), n)).collect();
    let fleet = state.fleet();
    FleetView {
        fleet: fleet.fleet.clone(),
        tip: state.tip(),
        attempted: fleet.attempted.clone(),
        assignments: fleet.assignments.clone(),
        conditions: fleet.conditions.clone(),
        hosts: fleet.hosts.len(),
        axes,
        findings: fleet.findings.len(),
        pending: fleet.pending.len(),
    }
}
