#![allow(clippy::unwrap_used)]
use std::collections::BTreeMap;

use muster_schema::Timestamp;
use muster_schema::fleet_api::{Axes, HostSummary};
use muster_schema::state::{Contact, Health, Sync};

use super::*;

fn host() -> HostSummary {
    let (reason, message) = (String::new(), String::new());
    HostSummary {
        id: "web-1".parse().unwrap(),
        environment: None,
        labels: BTreeMap::new(),
        axes: Axes { sync: Sync::Synced, health: Health::Healthy, reason, message, contact: Contact::Live },
        enrolled: true,
        assigned: None,
        applied_revision: None,
        serial: None,
        last_contact: Some(Timestamp(1)),
    }
}

fn ask(query: &str) -> Question {
    Question::of_one(&format!("/x?{query}").parse().unwrap()).unwrap()
}

fn known(tag: &str) -> HeaderMap {
    HeaderMap::from_iter([(header::IF_NONE_MATCH, tag.parse().unwrap())])
}

async fn body(response: Response) -> String {
    String::from_utf8(axum::body::to_bytes(response.into_body(), 10_000).await.unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn only_the_fields_that_are_wanted_are_answered() {
    let answer = answer_one(&HeaderMap::new(), &ask("fields=id,health"), &host()).unwrap();
    assert_eq!(body(answer).await, r#"{"id":"web-1","health":"Healthy"}"#);
    let page = Page { items: vec![host()], total: 7, next: Some("web-1".into()) };
    let answer = answer_page(&HeaderMap::new(), &ask("fields=id"), page).unwrap();
    assert_eq!(body(answer).await, r#"{"items":[{"id":"web-1"}],"total":7,"next":"web-1"}"#);
    let refusal = answer_one(&HeaderMap::new(), &ask("fields=id,colour"), &host()).unwrap_err();
    assert!(refusal.0.detail.contains("colour") && refusal.0.hint.unwrap().contains("last_contact"));
}

#[test]
fn what_is_known_already_is_not_sent_again() {
    let tag = |answer: &Response| answer.headers()[header::ETAG].to_str().unwrap().to_owned();
    let first = answer_one(&HeaderMap::new(), &ask(""), &host()).unwrap();
    let tag = tag(&first);
    for same in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
        let again = answer_one(&known(&same), &ask(""), &host()).unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{same}");
        assert_eq!(again.headers()[header::ETAG], tag.as_str());
    }
    let other = HostSummary { enrolled: false, ..host() };
    assert_eq!(answer_one(&known(&tag), &ask(""), &other).unwrap().status(), StatusCode::OK);
    assert_eq!(answer_one(&known(&tag), &ask("fields=id"), &host()).unwrap().status(), StatusCode::OK);
}
