//! Live requests. After each the host is as it was, the code is reported, and the next good request is answered.

use super::super::live::{ask, begin};
use super::*;
use crate::io::clock;
use muster_schema::Timestamp;
use muster_schema::api::Method;
use muster_schema::manifest::HostIdentity;
use muster_schema::message::{Message, Party};

#[tokio::test(flavor = "multi_thread")]
async fn a44_a_request_is_acted_upon_once_also_after_a_restart() {
    let mut agent = begin().await;
    let request = agent.orchestrator.live_request(7, Method::Post, "/v1/converge");
    agent.orchestrator.hand_out(&request, &agent.orchestrator.fresh);
    agent.wait("the answer", || agent.orchestrator.answers(7).len() == 1).await;
    agent.restart().await;
    agent.orchestrator.hand_out(&request, &agent.orchestrator.fresh);
    agent.wait_for_rejection(RejectCode::RequestReplayed.as_str()).await;
    assert_eq!(ask(&agent, 1, Method::Get, "/v1").await.0, 200);
    assert_eq!(agent.orchestrator.answers(7).len(), 1);
    agent.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a45_requests_for_others_and_of_other_times_are_refused() {
    let sign = |agent: &Agent, request: Message| agent.orchestrator.hand_out(&request, &agent.orchestrator.fresh);
    let to = |id: &str, key| Party::Host(HostIdentity { id: id.parse().unwrap(), key });
    refused(RejectCode::RequestOtherHost, |agent, request| {
        sign(agent, Message { to: to("web-2", agent.orchestrator.host.key), ..request });
    })
    .await;
    refused(RejectCode::RequestOtherHost, |agent, request| {
        sign(agent, Message { to: to("web-1", TestKey::new().public()), ..request });
    })
    .await;
    refused(RejectCode::RequestOtherHost, |agent, request| {
        sign(agent, Message { fleet: "other".parse().unwrap(), ..request });
    })
    .await;
    let minute = Duration::from_secs(60);
    refused(RejectCode::RequestExpired, |agent, request| {
        sign(agent, Message { issued: Timestamp(1), expires: clock::now(), ..request });
    })
    .await;
    refused(RejectCode::RequestExpired, |agent, request| {
        // What it says of its own life does not make it longer.
        let issued = Timestamp(clock::now().0 - 120_000);
        sign(agent, Message { issued, expires: clock::now().plus(minute), ..request });
    })
    .await;
    refused(RejectCode::RequestExpired, |agent, request| {
        let issued = clock::now().plus(minute * 10);
        sign(agent, Message { issued, expires: issued.plus(minute), ..request });
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a45_requests_that_the_orchestrator_did_not_sign_are_refused() {
    refused(RejectCode::RequestSignature, |agent, request| agent.orchestrator.hand_out(&request, &TestKey::new()))
        .await;
    refused(RejectCode::RequestSignature, |agent, request| {
        agent.orchestrator.hand_out(&request, &agent.orchestrator.render);
    })
    .await;
    refused(RejectCode::RequestMalformed, |agent, request| {
        // A24: a message of another type.
        let body = muster_schema::message::Body::Presence(muster_schema::message::Presence {
            agent: "1".to_owned(),
            start: None,
            heard: None,
        });
        agent.orchestrator.hand_out(&Message { body, ..request }, &agent.orchestrator.fresh);
    })
    .await;
}

/// What is handed out is refused with `code`, and not acted upon.
async fn refused(code: RejectCode, attack: impl FnOnce(&Agent, Message)) {
    let mut agent = begin().await;
    let request = agent.orchestrator.live_request(9, Method::Post, "/v1/converge");
    attack(&agent, request);
    agent.wait_for_rejection(code.as_str()).await;
    let answers = agent.orchestrator.answers(9);
    assert!(answers.iter().all(|answer| answer.status == 409), "{code}: {answers:?}");
    let (status, _) = ask(&agent, 1, Method::Get, "/v1").await;
    assert_eq!(status, 200, "{code}: the next good request is answered");
    assert_eq!(agent.read("etc/motd").as_deref(), Some("good"));
    agent.end().await;
}
