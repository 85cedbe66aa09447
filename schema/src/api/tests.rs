use super::{ApiRequest, Method, ProblemReason, agent_openapi};
use crate::collection::Collection;
use serde_json::Value;

fn get(target: &str) -> Result<ApiRequest, ProblemReason> {
    ApiRequest::load(Method::Get, target).map_err(|problem| problem.reason)
}

fn address(target: &str) -> String {
    match get(target) {
        Ok(ApiRequest::Resource(address)) => address.to_string(),
        other => panic!("{target}: {other:?}"),
    }
}

#[test]
fn paths_lead_to_collections_and_resources() {
    assert_eq!(get("/v1"), Ok(ApiRequest::Collections));
    assert_eq!(get("/v1/"), Ok(ApiRequest::Collections));
    assert_eq!(get("/v1/facts"), Ok(ApiRequest::Facts));
    let packages = |all| ApiRequest::Collection { collection: Collection::Packages, all };
    assert_eq!(get("/v1/packages"), Ok(packages(false)));
    assert_eq!(get("/v1/packages/?all=true"), Ok(packages(true)));
    assert_eq!(address("/v1/packages/nginx"), "packages/nginx");
    assert_eq!(address("/v1/packages/libstdc%2B%2B6"), "packages/libstdc++6");
}

#[test]
fn the_id_of_a_path_is_written_plain_or_encoded() {
    for target in ["/v1/files/etc/motd", "/v1/files/%2Fetc%2Fmotd", "/v1/files/etc%2fmotd"] {
        assert_eq!(address(target), "files/etc/motd", "{target}");
    }
    assert_eq!(address("/v1/files/etc/a%20b"), "files/etc/a b");
}

#[test]
fn what_is_no_request_is_refused_with_its_reason() {
    use ProblemReason::{BadRequest, UnknownCollection, UnknownPath};
    let cases = [
        ("/", UnknownPath),
        ("/v2", UnknownPath),
        ("/v1x", UnknownPath),
        ("/v1/Nothing", UnknownCollection),
        ("/v1/facts/os", UnknownCollection),
        ("/v1/packages/a/b", BadRequest),
        ("/v1/packages/%zz", BadRequest),
        ("/v1/packages/%ff", BadRequest),
        ("/v1/packages/a%00b", BadRequest),
        ("/v1/files/etc/../shadow", BadRequest),
        ("/v1/files/etc/%2e%2e/shadow", BadRequest),
        ("/v1/packages?all=yes", BadRequest),
        ("/v1/facts?all=true", BadRequest),
    ];
    for (target, reason) in cases {
        assert_eq!(get(target), Err(reason), "{target}");
    }
    assert_eq!(get(&format!("/v1/files/{}", "a/".repeat(20_000))), Err(BadRequest));
}

#[test]
fn nothing_is_changed_by_a_get_and_little_by_a_post() {
    let post = |target| ApiRequest::load(Method::Post, target).map_err(|problem| problem.reason);
    assert_eq!(post("/v1/plan"), Ok(ApiRequest::Plan));
    assert_eq!(post("/v1/converge"), Ok(ApiRequest::Converge));
    for target in ["/v1", "/v1/facts", "/v1/packages", "/v1/packages/nginx"] {
        assert_eq!(post(target), Err(ProblemReason::WrongMethod), "{target}");
    }
    for target in ["/v1/plan", "/v1/converge"] {
        assert_eq!(get(target), Err(ProblemReason::WrongMethod), "{target}");
    }
}

/// Every `$ref` of the document leads somewhere in it.
#[test]
fn the_openapi_document_is_whole() {
    fn refs<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("$ref").and_then(Value::as_str));
                map.values().for_each(|value| refs(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| refs(value, found)),
            _ => {}
        }
    }
    let document = agent_openapi();
    let mut found = Vec::new();
    refs(&document, &mut found);
    assert!(found.len() > 10);
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap_or_default();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}
