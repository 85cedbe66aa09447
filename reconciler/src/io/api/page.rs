//! The status page: server-rendered, updated as events come.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use minijinja::Environment;
use muster_schema::condition::Condition;
use muster_schema::fleet_api::HostSummary;
use muster_schema::{CommitId, FleetName, HostId};
use serde::Serialize;

use super::hosts::summary;
use crate::events::Event;
use crate::io::clock;
use crate::state::{RevisionView, SharedState};

/// The most hosts that the page lists; the API has them all.
const MAX_ROWS: usize = 500;

/// The most findings that the page lists.
const MAX_FINDINGS: usize = 50;

/// The most events that the page lists.
const MAX_EVENTS: usize = 20;

pub(super) async fn get(State(state): State<Arc<SharedState>>) -> Response {
    page(&state, "page.html")
}

pub(super) async fn fragment(State(state): State<Arc<SharedState>>) -> Response {
    page(&state, "fragment.html")
}

pub(super) async fn script() -> impl IntoResponse {
    ([("content-type", "text/javascript; charset=utf-8")], include_str!("page/page.js"))
}

fn page(state: &SharedState, template: &str) -> Response {
    match render(state, template) {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!(%error, "the status page does not render");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Renders a page. Names that end in `.html` are escaped by the engine: what
/// hosts say is text, whatever it looks like.
fn render(state: &SharedState, template: &str) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.add_template("page.html", include_str!("page/page.html"))?;
    environment.add_template("fragment.html", include_str!("page/fragment.html"))?;
    let now = clock::now();
    let revisions = state.revisions();
    let mut events = state.events.kept();
    events.drain(..events.len().saturating_sub(MAX_EVENTS));
    events.reverse();
    let fleet = state.fleet();
    let mut hosts: Vec<_> = fleet.hosts.iter().map(|(id, host)| summary(id, host, now)).collect();
    let total = hosts.len();
    let healthy = hosts.iter().filter(|host| host.axes.is_green()).count();
    hosts.sort_by_key(|host| host.axes.is_green());
    hosts.truncate(MAX_ROWS);
    let pending: Vec<_> =
        fleet.pending.iter().map(|(key, pending)| (key.fingerprint(), &pending.announce.name)).collect();
    let view = PageView {
        fleet: &fleet.fleet,
        revision: fleet.assignments.anchor.as_ref(),
        attempted: fleet.attempted.as_ref(),
        conditions: &fleet.conditions,
        findings: fleet.findings.iter().take(MAX_FINDINGS).map(ToString::to_string).collect(),
        hosts,
        total,
        healthy,
        events,
        pending,
        revisions: revisions.into_iter().take(10).collect(),
    };
    environment.get_template(template)?.render(minijinja::value::Serde(&view))
}

/// What the templates show.
#[derive(Serialize)]
struct PageView<'a> {
    fleet: &'a FleetName,
    revision: Option<&'a CommitId>,
    attempted: Option<&'a CommitId>,
    conditions: &'a [Condition],
    findings: Vec<String>,
    hosts: Vec<HostSummary>,
    total: usize,
    healthy: usize,
    events: Vec<Event>,
    pending: Vec<(String, &'a HostId)>,
    revisions: Vec<RevisionView>,
}
