//! Exceptions that end while the agent runs, and that do not while its head has expired.

use super::*;
use crate::io::clock;
use muster_schema::Timestamp;
use serde_json::Value;
use std::time::Duration;

fn in_millis(millis: u64) -> Timestamp {
    clock::now().plus(Duration::from_millis(millis))
}

/// A file with a content, and another one until a time.
fn file(agent: &Agent, until: Timestamp) -> Value {
    let (normal, meanwhile) = (agent.orchestrator.blob("normal"), agent.orchestrator.blob("meanwhile"));
    let exception = json!({"reason": "a trial", "until": until, "attributes": {"content": meanwhile}});
    json!({"files/etc/motd": {"content": normal, "exception": exception}})
}

#[tokio::test]
async fn an_exception_is_told_and_ends_without_a_new_manifest() {
    let mut agent = Agent::begin().await;
    let until = in_millis(3000);
    agent.orchestrator.publish(&file(&agent, until));
    agent.wait_for("etc/motd", Some("meanwhile")).await;
    agent.write("etc/motd", "wrong");
    agent.wait_for("etc/motd", Some("meanwhile")).await;
    let holds = |report: &muster_schema::report::Report| {
        report
            .exceptions
            .iter()
            .any(|told| (told.reason.as_str(), told.until, told.waived) == ("a trial", until, false))
    };
    agent.wait_for_report(holds).await;
    agent.wait_for("etc/motd", Some("normal")).await;
    assert!(clock::now() >= until, "it ended too early");
    agent.wait("a report without it", || agent.orchestrator.reports().pop().unwrap().exceptions.is_empty()).await;
    agent.end().await;
}

#[tokio::test]
async fn while_the_head_has_expired_no_exception_ends_not_even_after_a_restart() {
    let mut agent = Agent::begin().await;
    let mut head = agent.orchestrator.publish(&file(&agent, in_millis(2500)));
    agent.wait_for("etc/motd", Some("meanwhile")).await;
    head.expires = in_millis(1500);
    agent.orchestrator.set_head(head.clone());
    tokio::time::sleep(Duration::from_millis(2700)).await;
    agent.orchestrator.set_silent(true);
    agent.restart().await;
    agent.write("etc/motd", "wrong");
    agent.wait_for("etc/motd", Some("meanwhile")).await;
    // A good head lets time go on.
    head.expires = in_millis(3_600_000);
    agent.orchestrator.set_silent(false);
    agent.orchestrator.set_head(head);
    agent.wait_for("etc/motd", Some("normal")).await;
    agent.end().await;
}
