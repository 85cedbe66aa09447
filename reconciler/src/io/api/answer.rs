//! Answers: JSON with an `ETag`, of all fields or of those that are wanted, and problems.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use muster_schema::Sha256Digest;
use muster_schema::api::{JSON_TYPE, Problem};
use muster_schema::fleet_api::Page;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::live::refused;
use super::question::{Question, bad};

#[cfg(test)]
mod tests;

/// A problem as the answer of a handler.
#[derive(Debug)]
pub(super) struct Refusal(Problem);

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Refusal(problem)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        refused(&self.0)
    }
}

/// Answers with a document.
///
/// # Errors
/// When a field is wanted that there is not.
pub(super) fn answer_one<T>(headers: &HeaderMap, question: &Question, value: &T) -> Result<Response, Refusal>
where
    T: Serialize + JsonSchema,
{
    let Some(fields) = &question.fields else { return Ok(answer(headers, value)) };
    check_fields::<T>(fields)?;
    Ok(answer(headers, &pick(value, fields)))
}

/// Answers with a page.
///
/// # Errors
/// When a field of its items is wanted that they do not have.
pub(super) fn answer_page<T>(headers: &HeaderMap, question: &Question, page: Page<T>) -> Result<Response, Refusal>
where
    T: Serialize + JsonSchema,
{
    let Some(fields) = &question.fields else { return Ok(answer(headers, &page)) };
    check_fields::<T>(fields)?;
    let items: Vec<Value> = page.items.iter().map(|item| pick(item, fields)).collect();
    Ok(answer(headers, &Page { items, total: page.total, next: page.next }))
}

fn answer(headers: &HeaderMap, value: &impl Serialize) -> Response {
    let Ok(body) = serde_json::to_vec(value) else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let tag = format!("\"{}\"", Sha256Digest::of(&body));
    let is_known = headers.get_all(header::IF_NONE_MATCH).iter().any(|known| names_tag(known, &tag));
    let mut response = match is_known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => ([(header::CONTENT_TYPE, JSON_TYPE)], body).into_response(),
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    // It may be kept, and has to be asked about each time.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}

/// Whether `If-None-Match` (RFC 9110, 13.1.2) has this tag. It compares weakly, so `W/` does not count.
fn names_tag(known: &HeaderValue, tag: &str) -> bool {
    let mut tags = known.to_str().unwrap_or_default().split(',').map(str::trim);
    tags.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

fn check_fields<T: JsonSchema>(fields: &[String]) -> Result<(), Problem> {
    let schema = schemars::schema_for!(T);
    let known = schema.get("properties").and_then(Value::as_object);
    let names: Vec<&str> = known.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    match fields.iter().find(|field| !names.contains(&field.as_str())) {
        Some(unknown) => {
            Err(bad(format!("there is no field {unknown:?}")).with_hint(format!("there are {}", names.join(", "))))
        }
        None => Ok(()),
    }
}

fn pick(value: &impl Serialize, fields: &[String]) -> Value {
    let mut value = serde_json::to_value(value).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.retain(|name, _| fields.contains(name));
    }
    value
}
