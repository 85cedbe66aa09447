//! `GET /api/v1/hosts` and `GET /api/v1/hosts/{id}`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::response::{IntoResponse, Response};
use muster_schema::facts::Facts;
use muster_schema::report::{Applied, Rejection, ResourceReport, Transition};
use muster_schema::state::{Health, ResourceState, Sync};
use muster_schema::{CommitId, HostId, PublicKey, Timestamp};
use serde::Serialize;

use super::not_found;
use crate::access::{Caller, Scope};
use crate::io::clock;
use crate::state::SharedState;
use crate::status::{Axes, Desired, HostStatus};

/// A host in a list.
#[derive(Debug, Serialize)]
pub(super) struct HostSummary {
    id: HostId,
    environment: Option<String>,
    labels: BTreeMap<String, String>,
    #[serde(flatten)]
    axes: Axes,
    enrolled: bool,
    assigned: Option<CommitId>,
    applied_revision: Option<CommitId>,
    serial: Option<u64>,
    last_contact: Option<Timestamp>,
}

/// Everything that is known of a host.
#[derive(Debug, Serialize)]
pub(super) struct HostView {
    #[serde(flatten)]
    summary: HostSummary,
    key: Option<PublicKey>,
    recipient: Option<String>,
    /// The enrolment token by which a machine is this host, where its file names no key.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    desired: Option<Desired>,
    applied: Option<Applied>,
    counts: BTreeMap<ResourceState, u32>,
    deviations: Vec<ResourceReport>,
    transitions: Vec<Transition>,
    rejections: Vec<Rejection>,
    facts: Option<Facts>,
}

impl HostSummary {
    /// Whether all is well: healthy, in sync, heard of.
    pub(super) fn is_green(&self) -> bool {
        self.axes.health == Health::Healthy && self.axes.sync == Sync::Synced
    }

    pub(super) fn new(id: &HostId, host: &HostStatus, now: Timestamp) -> Self {
        HostSummary {
            id: id.clone(),
            environment: host.environment.clone(),
            labels: host.labels.clone(),
            axes: host.axes(now),
            enrolled: host.enrolled,
            assigned: host.assigned.clone(),
            applied_revision: host.applied.as_ref().map(|applied| applied.revision.clone()),
            serial: host.desired.as_ref().map(|desired| desired.serial),
            last_contact: host.last_contact,
        }
    }
}

/// The hosts that the caller may see.
pub(super) async fn list(
    State(state): State<Arc<SharedState>>,
    caller: Option<Extension<Caller>>,
) -> Json<Vec<HostSummary>> {
    let now = clock::now();
    let fleet = state.fleet();
    let sees = |host: &HostStatus| {
        caller.as_ref().is_none_or(|Extension(caller)| caller.check_host(Scope::Read, Some(&host.labels)).is_ok())
    };
    let seen = fleet.hosts.iter().filter(|(_, host)| sees(host));
    Json(seen.map(|(id, host)| HostSummary::new(id, host, now)).collect())
}

pub(super) async fn get(State(state): State<Arc<SharedState>>, Path(id): Path<String>) -> Response {
    let fleet = state.fleet();
    let found = id.parse::<HostId>().ok().and_then(|id| fleet.hosts.get_key_value(&id));
    let Some((id, host)) = found else {
        return not_found(format!("there is no host '{}' in this fleet", id.escape_debug()));
    };
    Json(HostView {
        summary: HostSummary::new(id, host, clock::now()),
        key: host.key,
        recipient: host.recipient.clone(),
        token: fleet.token_of(id).map(|binding| binding.name.clone()),
        desired: host.desired.clone(),
        applied: host.applied.clone(),
        counts: host.counts.clone(),
        deviations: host.deviations.clone(),
        transitions: host.transitions.iter().cloned().collect(),
        rejections: host.rejections.iter().cloned().collect(),
        facts: host.facts.as_ref().map(|record| record.body.facts.clone()),
    })
    .into_response()
}
