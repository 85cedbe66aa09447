//! `GET /api/v1/fleet`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use muster_schema::condition::Condition;
use muster_schema::{CommitId, FleetName};
use serde::Serialize;

use crate::io::clock;
use crate::state::SharedState;
use crate::status::Assignments;

/// The fleet at a glance.
#[derive(Debug, Serialize)]
pub(super) struct FleetView {
    fleet: FleetName,
    /// Where the watched branch is; looked at already where `attempted` is the same.
    tip: Option<CommitId>,
    attempted: Option<CommitId>,
    assignments: Assignments,
    conditions: Vec<Condition>,
    hosts: usize,
    axes: BTreeMap<String, usize>,
    findings: usize,
    pending: usize,
}

pub(super) async fn get(State(state): State<Arc<SharedState>>) -> Json<FleetView> {
    let counts = state.count_axes(clock::now());
    let axes = counts.into_iter().map(|((axis, value), n)| (format!("{axis}/{value}"), n)).collect();
    let fleet = state.fleet();
    Json(FleetView {
        fleet: fleet.fleet.clone(),
        tip: state.tip(),
        attempted: fleet.attempted.clone(),
        assignments: fleet.assignments.clone(),
        conditions: fleet.conditions.clone(),
        hosts: fleet.hosts.len(),
        axes,
        findings: fleet.findings.len(),
        pending: fleet.pending.len(),
    })
}
