//! `GET /api/v1/hosts` and `GET /api/v1/hosts/{id}`.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use muster_schema::api::{Problem, ProblemReason};
use muster_schema::document::Selector;
use muster_schema::fleet_api::{Axes, HOST_FILTERS, HostSummary, HostView, Page};
use muster_schema::state::{Contact, Health, Sync};
use muster_schema::{HostId, Timestamp};

use super::answer::{Refusal, answer_one, answer_page};
use super::listing::page_of_sorted;
use super::question::{Question, bad};
use crate::access::{Caller, Scope};
use crate::io::clock;
use crate::state::SharedState;
use crate::status::{FleetStatus, HostStatus};

/// Which hosts a list has.
struct HostFilter<'q> {
    selector: Option<Selector>,
    environment: Option<&'q str>,
    sync: Option<Sync>,
    health: Option<Health>,
    contact: Option<Contact>,
    reason: Option<&'q str>,
    search: Option<&'q str>,
}

impl<'q> HostFilter<'q> {
    fn load(question: &'q Question) -> Result<Self, Problem> {
        let selector = question.text("selector").map(str::parse).transpose();
        Ok(HostFilter {
            selector: selector.map_err(|error| bad(format!("selector: {error}")))?,
            environment: question.text("environment"),
            sync: question.value("sync")?,
            health: question.value("health")?,
            contact: question.value("contact")?,
            reason: question.text("reason"),
            search: question.text("search"),
        })
    }

    /// Whether a host passes, by what is declared of it.
    fn has_declared(&self, id: &HostId, host: &HostStatus) -> bool {
        let is_found =
            |text: &str| id.as_str().contains(text) || host.labels.values().any(|value| value.contains(text));
        self.selector.as_ref().is_none_or(|selector| selector.selects(&host.labels))
            && self.environment.is_none_or(|environment| host.environment.as_deref() == Some(environment))
            && self.search.is_none_or(is_found)
    }

    /// Whether a host passes, by how it fares.
    fn has_axes(&self, axes: &Axes) -> bool {
        self.sync.is_none_or(|sync| axes.sync == sync)
            && self.health.is_none_or(|health| axes.health == health)
            && self.contact.is_none_or(|contact| axes.contact == contact)
            && self.reason.is_none_or(|reason| axes.reason == reason)
    }

    fn asks_axes(&self) -> bool {
        self.sync.is_some() || self.health.is_some() || self.contact.is_some() || self.reason.is_some()
    }
}

/// The hosts that the caller may see.
pub(super) async fn list(
    State(state): State<Arc<SharedState>>,
    caller: Option<Extension<Caller>>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Refusal> {
    let question = Question::of_list(&uri, HOST_FILTERS)?;
    let filter = HostFilter::load(&question)?;
    let sees = |host: &HostStatus| {
        caller.as_ref().is_none_or(|Extension(caller)| caller.check_host(Scope::Read, Some(&host.labels)).is_ok())
    };
    let page = page(&state.fleet(), &question, &filter, sees, clock::now());
    answer_page(&headers, &question, page)
}

fn page(
    fleet: &FleetStatus,
    question: &Question,
    filter: &HostFilter<'_>,
    sees: impl Fn(&HostStatus) -> bool,
    now: Timestamp,
) -> Page<HostSummary> {
    let mut hosts: Vec<(&HostId, &HostStatus)> =
        fleet.hosts.iter().filter(|(id, host)| sees(host) && filter.has_declared(id, host)).collect();
    if filter.asks_axes() {
        hosts.retain(|(_, host)| filter.has_axes(&host.axes(now)));
    }
    let Page { items, total, next } = page_of_sorted(question, hosts, |(id, _)| id.to_string());
    Page { items: items.into_iter().map(|(id, host)| summary(id, host, now)).collect(), total, next }
}

/// What lists tell of a host.
pub(super) fn summary(id: &HostId, host: &HostStatus, now: Timestamp) -> HostSummary {
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

pub(super) async fn get(
    State(state): State<Arc<SharedState>>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Refusal> {
    let question = Question::of_one(&uri)?;
    let Path(id) = id.map_err(|error| bad(error.body_text()))?;
    let view = view(&state.fleet(), &id, clock::now()).ok_or_else(|| {
        let detail = format!("there is no host '{}' in this fleet", id.escape_debug());
        Problem::new(ProblemReason::UnknownHost, detail)
    })?;
    answer_one(&headers, &question, &view)
}

fn view(fleet: &FleetStatus, id: &str, now: Timestamp) -> Option<HostView> {
    let (id, host) = fleet.hosts.get_key_value(&id.parse::<HostId>().ok()?)?;
    Some(HostView {
        summary: summary(id, host, now),
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
}
