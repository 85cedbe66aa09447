//! `GET /api/v1/events`: a page of what happened, or for those who accept it a stream; `Last-Event-ID` resumes.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Uri, header};
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream, StreamExt};
use muster_schema::HostId;
use muster_schema::api::Problem;
use muster_schema::fleet_api::EVENT_FILTERS;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::answer::{Refusal, answer_page};
use super::listing::{Listed, page_of};
use super::question::{Question, bad};
use crate::events::{Event, EventKind, EventLog, Following};
use crate::state::SharedState;

const STREAM_TYPE: &str = "text/event-stream";
const LAST_EVENT_ID: &str = "last-event-id";

/// Some events are not there any more: who shows what they are about has to read that anew.
const RESET: &str = "reset";

impl Listed for Event {
    fn key(&self) -> String {
        self.id.to_string()
    }
}

/// Which events are wanted.
struct EventFilter {
    host: Option<HostId>,
    kind: Option<EventKind>,
}

impl EventFilter {
    fn load(question: &Question) -> Result<Self, Problem> {
        Ok(EventFilter { host: question.value("host")?, kind: question.value("kind")? })
    }

    fn passes(&self, event: &Event) -> bool {
        let is_about = |host: &HostId| event.host.as_ref() == Some(host);
        self.host.as_ref().is_none_or(is_about) && self.kind.is_none_or(|kind| event.kind == kind)
    }
}

pub(super) async fn list(
    State(state): State<Arc<SharedState>>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Refusal> {
    let question = Question::of_list(&uri, EVENT_FILTERS)?;
    let filter = EventFilter::load(&question)?;
    let accepted = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    if accepted.is_some_and(|accepted| accepted.contains(STREAM_TYPE)) {
        let last = last_event(&headers)?;
        return Ok(Sse::new(stream(&state.events, last, filter)).keep_alive(KeepAlive::default()).into_response());
    }
    let kept = state.events.kept().into_iter().rev().filter(|event| filter.passes(event)).collect();
    answer_page(&headers, &question, page_of(&question, kept)?)
}

fn last_event(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(last) = headers.get(LAST_EVENT_ID) else { return Ok(None) };
    let id = last.to_str().ok().and_then(|id| id.parse().ok());
    id.map(Some).ok_or_else(|| bad("Last-Event-ID is none of the ids that were sent"))
}

fn stream(
    log: &EventLog,
    last: Option<u64>,
    filter: EventFilter,
) -> impl Stream<Item = Result<Sent, Infallible>> + use<> {
    let Following { is_whole, missed, coming } = log.follow(last);
    let gap = (!is_whole).then_some(None);
    let missed = gap.into_iter().chain(missed.into_iter().map(Some));
    let coming = stream::unfold(coming, |mut coming| async move { Some((next(&mut coming).await?, coming)) });
    let all = stream::iter(missed).chain(coming);
    all.filter_map(move |event| {
        let sent = event.as_ref().is_none_or(|event| filter.passes(event)).then(|| Ok(sent(event.as_ref())));
        async move { sent }
    })
}

/// The next event; none where a listener was too slow for all of them.
async fn next(coming: &mut Receiver<Event>) -> Option<Option<Event>> {
    match coming.recv().await {
        Ok(event) => Some(Some(event)),
        Err(RecvError::Lagged(_)) => Some(None),
        Err(RecvError::Closed) => None,
    }
}

fn sent(event: Option<&Event>) -> Sent {
    match event {
        Some(event) => Sent::default().id(event.id.to_string()).data(serde_json::to_string(event).unwrap_or_default()),
        None => Sent::default().event(RESET).data("{}"),
    }
}
