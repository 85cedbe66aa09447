//! `GET /api/v1/revisions`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use muster_schema::fleet_api::REVISION_FILTERS;

use super::answer::{Refusal, answer_page};
use super::listing::{Listed, page_of};
use super::question::Question;
use crate::state::{RevisionView, SharedState, Verdict};

impl Listed for RevisionView {
    fn key(&self) -> String {
        self.id.to_string()
    }
}

pub(super) async fn list(
    State(state): State<Arc<SharedState>>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Refusal> {
    let question = Question::of_list(&uri, REVISION_FILTERS)?;
    let verdict: Option<Verdict> = question.value("verdict")?;
    let mut revisions = state.revisions();
    revisions.retain(|revision| verdict.is_none_or(|verdict| revision.verdict == verdict));
    answer_page(&headers, &question, page_of(&question, revisions)?)
}
