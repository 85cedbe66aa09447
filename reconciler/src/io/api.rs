//! The HTTP surface for people and programs. It reads; what agents are asked to do is in `live`.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, Method, Uri};
use axum::response::Response;
use axum::routing::{any, get};
use muster_schema::api::{Problem, ProblemReason};

use self::live::refused;
use crate::state::SharedState;

mod access;
mod answer;
mod docs;
mod enrolment;
mod events;
mod findings;
mod fleet;
mod health;
mod hosts;
mod listing;
mod live;
mod metrics;
mod page;
mod question;
mod revisions;
mod rights;
mod targets;

#[cfg(test)]
mod tests;

pub use access::Access;
pub use live::{LiveApi, live_router};

/// The routes under `/api/v1`, `/healthz`, `/metrics` and the status page.
pub fn router(state: Arc<SharedState>) -> Router {
    let api = Router::new()
        .route("/fleet", get(fleet::get))
        .route("/hosts", get(hosts::list))
        .route("/hosts/{id}", get(hosts::get))
        .route("/revisions", get(revisions::list))
        .route("/findings", get(findings::list))
        .route("/events", get(events::list))
        .route("/enrolment", get(enrolment::list))
        .route("/enrolment/tokens", get(enrolment::tokens))
        .route("/openapi.json", get(docs::openapi))
        .route("/docs", get(docs::page))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method);
    Router::new()
        .nest("/api/v1", api)
        .route("/api/v1", any(unknown_path))
        .route("/api/v1/", any(unknown_path))
        .route("/healthz", get(health::get))
        .route("/metrics", get(metrics::get))
        .route("/", get(page::get))
        .route("/page.js", get(page::script))
        .route("/fragment", get(page::fragment))
        .layer(axum::middleware::map_response(with_security_headers))
        .with_state(state)
}

async fn unknown_path(uri: Uri) -> Response {
    let problem = Problem::new(ProblemReason::UnknownPath, format!("there is nothing at {:?}", uri.path()));
    refused(&problem.with_hint("/api/v1/docs tells what there is"))
}

async fn wrong_method(method: Method, uri: Uri) -> Response {
    let detail = format!("{:?} is not asked by {method}", uri.path());
    refused(&Problem::new(ProblemReason::WrongMethod, detail).with_hint("/api/v1/docs tells what there is"))
}

/// Nothing that a host says is ever run: no script but our own, no frames, no guessing of types.
async fn with_security_headers(mut response: Response) -> Response {
    const HEADERS: [(&str, &str); 4] = [
        (
            "content-security-policy",
            "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ];
    for (name, value) in HEADERS {
        response.headers_mut().entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    }
    response
}
