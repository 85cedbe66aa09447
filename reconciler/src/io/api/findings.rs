//! `GET /api/v1/findings`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use muster_schema::fleet_api::{FINDING_FILTERS, FindingView};

use super::answer::{Refusal, answer_page};
use super::listing::{Listed, page_of};
use super::question::Question;
use crate::model::Finding;
use crate::state::SharedState;

impl Listed for FindingView {
    fn key(&self) -> String {
        format!("{}:{}:{}:{}", self.file, self.line, self.column, self.reason)
    }
}

pub(super) async fn list(
    State(state): State<Arc<SharedState>>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Refusal> {
    let question = Question::of_list(&uri, FINDING_FILTERS)?;
    let findings = state.fleet().findings.iter().filter(|one| is_in(one, question.text("file"))).map(view).collect();
    answer_page(&headers, &question, page_of(&question, findings)?)
}

fn is_in(finding: &Finding, file: Option<&str>) -> bool {
    let Some(file) = file else { return true };
    let rest = finding.place.file.strip_prefix(file.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn view(finding: &Finding) -> FindingView {
    FindingView {
        file: finding.place.file.to_string(),
        line: finding.place.line,
        column: finding.place.column,
        reason: finding.reason.clone(),
        hint: finding.hint.clone(),
        scope: finding.scope.clone(),
    }
}
