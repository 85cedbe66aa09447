//! `/api/v1/hosts/{id}/v1/…` and `/api/v1/query`: the agents' own API, through the orchestrator.
//!
//! Each request is written down before it is passed on, with who made it. To ask takes the scope `query`, to have an
//! agent do something the scope `act`, both for that host.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, Query, State};
use axum::http::{HeaderMap, Method as HttpMethod, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use muster_schema::api::{ApiRequest, JSON_TYPE, Method, PROBLEM_TYPE, Problem, ProblemReason};
use muster_schema::manifest::HostIdentity;
use muster_schema::message::{LiveAnswer, LiveRequest};
use muster_schema::{Collection, HostId};
use serde::Deserialize;

use super::rights::{About, check_may};
use super::targets::{Chosen, choose_hosts};
use crate::access::{Caller, Scope};
use crate::audit::{AuditEntry, Decision};
use crate::io::audit::{AuditError, AuditLog};
use crate::io::bus::{Inbound, NotAnswered};
use crate::io::clock;
use crate::query::{Answered, QueryView, Unanswered};
use crate::state::SharedState;

/// A run is waited for longer than a reading; see the agent.
const RUN: Duration = Duration::from_secs(25);
const READ: Duration = Duration::from_secs(10);
/// How long a question to many hosts waits for the slowest.
const QUERY_MS: u64 = 5_000;
const LONGEST_QUERY_MS: u64 = 30_000;
const PREFIX: &str = "/api/v1/hosts/";

/// What live requests go by.
#[derive(Clone)]
pub struct LiveApi {
    /// What is known of the hosts.
    pub state: Arc<SharedState>,
    /// The way to them.
    pub door: Arc<Inbound>,
    /// Where requests are written down.
    pub audit: Arc<AuditLog>,
}

/// The routes of live requests.
pub fn live_router(api: LiveApi) -> Router {
    Router::new()
        .route("/api/v1/hosts/{id}/v1", any(of_host))
        .route("/api/v1/hosts/{id}/v1/{*path}", any(of_host))
        .route("/api/v1/query", get(of_many))
        .layer(axum::middleware::map_response(super::with_security_headers))
        .with_state(api)
}

async fn of_host(
    State(api): State<LiveApi>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    method: HttpMethod,
    uri: Uri,
) -> Response {
    // As it was written: the agent decodes ids itself.
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    let (id, target) = target.strip_prefix(PREFIX).and_then(|rest| rest.split_once('/')).unwrap_or_default();
    let asked = Asked { who: caller, action: format!("{method} /{target}"), hosts: id.to_owned() };
    match ask_host(&api, &asked, &headers, &method, id, &format!("/{target}")).await {
        Ok(answer) => answered(answer),
        Err(problem) => refused(&problem),
    }
}

async fn ask_host(
    api: &LiveApi,
    asked: &Asked,
    headers: &HeaderMap,
    method: &HttpMethod,
    id: &str,
    target: &str,
) -> Result<LiveAnswer, Problem> {
    let wrong_method = || Problem::new(ProblemReason::WrongMethod, format!("{method} is not known here"));
    let method = match *method {
        HttpMethod::GET => Method::Get,
        HttpMethod::POST => Method::Post,
        _ => return Err(wrong_method()),
    };
    // What no agent would answer goes to none.
    let request = ApiRequest::load(method, target)?;
    if let Err(problem) = check_request(api, asked, headers, (method, &request), id) {
        api.deny(asked, &problem.detail)?;
        return Err(problem);
    }
    let host = find_host(&api.state, id)?;
    api.allow(asked)?;
    let patience = if request.acts() { RUN } else { READ };
    let request = LiveRequest { method, target: target.to_owned() };
    api.door.ask(&host, request, patience).await.map_err(|why| not_answered(&host.id, why))
}

/// Whether who asks may do this with this host. No page in a browser may have an agent do something: its reader may
/// know nothing of it.
fn check_request(
    api: &LiveApi,
    asked: &Asked,
    headers: &HeaderMap,
    (method, request): (Method, &ApiRequest),
    id: &str,
) -> Result<(), Problem> {
    let deny = |why: String| Problem::new(ProblemReason::Forbidden, why);
    if method == Method::Post && headers.contains_key(header::ORIGIN) {
        return Err(deny("a page in a browser may not have an agent do something".to_owned()));
    }
    let scope = if method == Method::Post { Scope::Act } else { Scope::Query };
    let fleet = api.state.fleet();
    let host = id.parse::<HostId>().ok().and_then(|id| fleet.hosts.get(&id));
    let about = About { labels: host.map(|host| &host.labels), collection: request.collection() };
    check_may(&api.state, &asked.who, scope, &about).map_err(deny)
}

/// The question to many hosts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    /// Ids, separated by commas.
    hosts: Option<String>,
    /// A selector over labels; `*` is every host.
    selector: Option<String>,
    /// What is asked of each: `/v1/services/nginx`.
    target: String,
    /// How long to wait for the slowest.
    timeout_ms: Option<u64>,
}

async fn of_many(
    State(api): State<LiveApi>,
    Extension(caller): Extension<Caller>,
    question: Result<Query<Question>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let asked = match question {
        Ok(Query(question)) => ask_many(&api, caller, question).await,
        Err(error) => Err(Problem::new(ProblemReason::BadRequest, error.body_text())
            .with_hint("/api/v1/query?selector=role=web&target=/v1/services/nginx")),
    };
    match asked {
        Ok(view) => Json(view).into_response(),
        Err(problem) => refused(&problem),
    }
}

async fn ask_many(api: &LiveApi, who: Caller, question: Question) -> Result<QueryView, Problem> {
    let collection = ApiRequest::load(Method::Get, &question.target)?.collection();
    let Chosen { hosts, mut unanswered } =
        choose_hosts(&api.state.fleet().hosts, question.hosts.as_deref(), question.selector.as_deref())?;
    let named = question.hosts.or(question.selector.map(|selector| format!("-l {selector}"))).unwrap_or_default();
    let asked = Asked { who, action: format!("GET {}", question.target), hosts: named };
    let hosts = api.keep_allowed(&asked, collection, hosts, &mut unanswered)?;
    api.allow(&asked)?;
    let patience = Duration::from_millis(question.timeout_ms.unwrap_or(QUERY_MS).clamp(1, LONGEST_QUERY_MS));
    let mut asking = tokio::task::JoinSet::new();
    for host in hosts {
        let (door, target) = (api.door.clone(), question.target.clone());
        let request = LiveRequest { method: Method::Get, target };
        asking.spawn(async move {
            let answer = door.ask(&host, request, patience).await;
            (host.id, answer)
        });
    }
    let mut answers = Vec::new();
    while let Some(Ok((host, answer))) = asking.join_next().await {
        let answer = answer.map_err(|why| not_answered(&host, why).detail);
        match answer.and_then(|answer| Answered::load(host.clone(), answer)) {
            Ok(answer) => answers.push(answer),
            Err(reason) => unanswered.push(Unanswered { host, reason }),
        }
    }
    answers.sort_by(|a, b| a.host.cmp(&b.host));
    unanswered.sort_by(|a, b| a.host.cmp(&b.host));
    Ok(QueryView { answers, unanswered })
}

/// What is written down of a request.
struct Asked {
    who: Caller,
    action: String,
    hosts: String,
}

impl LiveApi {
    /// The hosts that may be asked; the others are named with the reason. To be left with none is an error.
    fn keep_allowed(
        &self,
        asked: &Asked,
        collection: Option<Collection>,
        hosts: Vec<HostIdentity>,
        unanswered: &mut Vec<Unanswered>,
    ) -> Result<Vec<HostIdentity>, Problem> {
        let mut allowed = Vec::new();
        let mut refused = Vec::new();
        for host in hosts {
            let labels = self.state.fleet().hosts.get(&host.id).map(|host| host.labels.clone());
            let about = About { labels: labels.as_ref(), collection };
            match check_may(&self.state, &asked.who, Scope::Query, &about) {
                Ok(()) => allowed.push(host),
                Err(reason) => refused.push(Unanswered { host: host.id, reason }),
            }
        }
        if let Some(first) = refused.first() {
            let ids: Vec<&str> = refused.iter().map(|one| one.host.as_str()).collect();
            let denied = Asked { who: asked.who.clone(), action: asked.action.clone(), hosts: ids.join(",") };
            self.deny(&denied, &first.reason)?;
            if allowed.is_empty() {
                return Err(Problem::new(ProblemReason::Forbidden, first.reason.clone()));
            }
        }
        unanswered.extend(refused);
        Ok(allowed)
    }

    /// Writes down, durably, that it is done. What cannot be written down is not.
    fn allow(&self, asked: &Asked) -> Result<(), Problem> {
        self.audit.append([asked.entry(Decision::Allow, "Allowed")]).map_err(|error| not_written(&error))
    }

    /// Writes a refusal down; of a flood of one caller's not each.
    fn deny(&self, asked: &Asked, reason: &str) -> Result<(), Problem> {
        let entry = asked.entry(Decision::Deny, "Forbidden").because(reason);
        let kind = format!("Forbidden {}", entry.who);
        self.audit.append_limited(entry, &kind).map_err(|error| not_written(&error))
    }
}

impl Asked {
    fn entry(&self, decision: Decision, code: &str) -> AuditEntry {
        let entry = AuditEntry::new(clock::now(), self.who.name(), self.action.as_str(), decision, code);
        AuditEntry { hosts: self.hosts.clone(), ..entry }
    }
}

fn not_written(error: &AuditError) -> Problem {
    tracing::error!(error = error as &dyn std::error::Error, "nothing is passed on");
    Problem::new(ProblemReason::Busy, "the audit log cannot be written, so nothing is passed on")
}

/// An enrolled host of this fleet.
fn find_host(state: &SharedState, id: &str) -> Result<HostIdentity, Problem> {
    let unknown = || Problem::new(ProblemReason::UnknownHost, format!("there is no host '{}'", id.escape_debug()));
    let id: HostId = id.parse().map_err(|_| unknown())?;
    let mut chosen = choose_hosts(&state.fleet().hosts, Some(id.as_str()), None)?;
    match (chosen.hosts.pop(), chosen.unanswered.pop()) {
        (Some(host), _) => Ok(host),
        (None, Some(Unanswered { reason, .. })) => {
            Err(Problem::new(ProblemReason::NotConnected, format!("{id}: {reason}")))
        }
        (None, None) => Err(unknown()),
    }
}

fn not_answered(host: &HostId, why: NotAnswered) -> Problem {
    let reason = match why {
        NotAnswered::NotConnected => ProblemReason::NotConnected,
        NotAnswered::Busy | NotAnswered::Unsigned => ProblemReason::Busy,
        NotAnswered::TimedOut => ProblemReason::TimedOut,
    };
    Problem::new(reason, format!("{host}: {why}"))
        .with_hint(format!("'muster why {host}' tells when it was last heard of"))
}

/// What the host said, as far as it is JSON.
fn answered(answer: LiveAnswer) -> Response {
    let good = answer.status == 200;
    if serde_json::from_str::<&serde_json::value::RawValue>(&answer.body).is_err() {
        return refused(&Problem::new(ProblemReason::Unreadable, "the host's answer is no JSON"));
    }
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
    (status, [(header::CONTENT_TYPE, if good { JSON_TYPE } else { PROBLEM_TYPE })], answer.body).into_response()
}

pub(super) fn refused(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, PROBLEM_TYPE)], serde_json::to_string(problem).unwrap_or_default()).into_response()
}
