//! `GET /api/v1/events`: server-sent events; `Last-Event-ID` resumes.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use futures_util::stream::{self, Stream, StreamExt};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::events::Event;
use crate::state::SharedState;

pub(super) async fn stream(
    State(state): State<Arc<SharedState>>,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Sent, Infallible>>> {
    let after = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok()).unwrap_or(0);
    let (kept, receiver) = state.events.after(after);
    let coming = stream::unfold(receiver, |mut receiver| async move { Some((next(&mut receiver).await?, receiver)) });
    Sse::new(stream::iter(kept).chain(coming).map(|event| Ok(sent(&event)))).keep_alive(KeepAlive::default())
}

/// The next event; a listener that is too slow goes on with the oldest that is kept.
async fn next(receiver: &mut Receiver<Event>) -> Option<Event> {
    loop {
        match receiver.recv().await {
            Ok(event) => return Some(event),
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return None,
        }
    }
}

fn sent(event: &Event) -> Sent {
    let data = serde_json::to_string(event).unwrap_or_default();
    Sent::default().id(event.id.to_string()).data(data)
}
