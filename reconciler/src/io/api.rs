//! The HTTP surface for people and programs. It reads; what agents are asked to do is in `live`.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;

use crate::state::SharedState;

mod access;
mod enrolment;
mod events;
mod findings;
mod fleet;
mod health;
mod hosts;
mod live;
mod metrics;
mod page;
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
        .route("/events", get(events::stream))
        .route("/enrolment", get(enrolment::list))
        .route("/enrolment/tokens", get(enrolment::tokens));
    Router::new()
        .nest("/api/v1", api)
        .route("/healthz", get(health::get))
        .route("/metrics", get(metrics::get))
        .route("/", get(page::get))
        .route("/page.js", get(page::script))
        .route("/fragment", get(page::fragment))
        .layer(axum::middleware::map_response(with_security_headers))
        .with_state(state)
}

/// An error in the form of RFC 9457.
#[derive(Debug, Serialize)]
struct Problem {
    title: &'static str,
    status: u16,
    detail: String,
}

fn not_found(detail: String) -> Response {
    let problem = Problem { title: "Not found", status: 404, detail };
    let body = serde_json::to_string(&problem).unwrap_or_default();
    (StatusCode::NOT_FOUND, [("content-type", "application/problem+json")], body).into_response()
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
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}
