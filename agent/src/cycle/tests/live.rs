//! Live requests.

use super::harness::Agent;
use muster_schema::api::Method;
use serde_json::{Value, json};

/// An agent with a file, at work.
pub(super) async fn begin() -> Agent {
    let agent = Agent::begin().await;
    let good = agent.orchestrator.blob("good");
    agent.orchestrator.publish(&json!({"files/etc/motd": {"content": good}}));
    agent.wait_for("etc/motd", Some("good")).await;
    agent
}

/// The answer to a good request.
pub(super) async fn ask(agent: &Agent, id: u8, method: Method, target: &str) -> (u16, Value) {
    let request = agent.orchestrator.live_request(id, method, target);
    agent.orchestrator.hand_out(&request, &agent.orchestrator.fresh);
    agent.wait("the answer", || !agent.orchestrator.answers(id).is_empty()).await;
    let answer = agent.orchestrator.answers(id).remove(0);
    (answer.status, serde_json::from_str(&answer.body).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_request_is_answered_with_what_the_host_has_now() {
    let mut agent = begin().await;
    let (status, view) = ask(&agent, 1, Method::Get, "/v1/files/etc/motd").await;
    assert_eq!(
        (status, &view["managed"], &view["observed"]["attributes"]["content"]["size"]),
        (200, &json!(true), &json!(4))
    );
    let (status, problem) = ask(&agent, 2, Method::Get, "/v1/nothing").await;
    assert_eq!((status, &problem["reason"]), (404, &json!("UnknownCollection")));
    let (status, view) = ask(&agent, 3, Method::Post, "/v1/converge").await;
    assert_eq!((status, &view["finished"]), (200, &json!(true)), "{view}");
    agent.end().await;
}
