//! `GET /api/v1/openapi.json`, and `GET /api/v1/docs`, which is the same for people.

use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use minijinja::Environment;
use muster_schema::api::JSON_TYPE;
use muster_schema::fleet_api::fleet_openapi;

pub(super) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, JSON_TYPE)], fleet_openapi().to_string()).into_response()
}

pub(super) async fn page() -> Response {
    match render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!(%error, "the page about the API does not render");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn render() -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.add_template("docs.html", include_str!("docs/docs.html"))?;
    environment.add_filter("json", |value: minijinja::Value| serde_json::to_string_pretty(&value).unwrap_or_default());
    environment.get_template("docs.html")?.render(minijinja::value::Serde(&fleet_openapi()))
}
