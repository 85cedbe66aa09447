//! Attacks on the published tree. After each: the file on disk and what is accepted stay as they were, the code is
//! reported, and the next good update goes through.

mod apply;
mod breakglass;
mod envelope;
mod freshness;
mod live;
mod power;
mod root;
mod rotation;
mod secrets;

use super::harness::Agent;
use crate::accepted::Accepted;
use crate::store::Store;
use crate::test_orchestrator::{TestKey, TestOrchestrator};
use crate::verify::RejectCode;
use muster_schema::head::Head;
use muster_schema::manifest::Manifest;
use serde_json::json;
use std::time::Duration;

/// An agent with a file, at work, and the head that it follows.
async fn begin() -> (Agent, Head) {
    let agent = Agent::begin().await;
    let good = agent.orchestrator.blob("good");
    let head = agent.orchestrator.publish(&json!({"files/etc/motd": {"content": good}}));
    agent.wait_for("etc/motd", Some("good")).await;
    agent.wait_for_transitions(1).await;
    (agent, head)
}

/// Lets `attack` publish something on top of a good state.
async fn refused(code: RejectCode, attack: impl FnOnce(&TestOrchestrator, Head)) {
    let (mut agent, head) = begin().await;
    let accepted = snapshot(&mut agent).await;

    attack(&agent.orchestrator, head);
    agent.wait_for_rejection(code.as_str()).await;
    assert_eq!(agent.read("etc/motd").as_deref(), Some("good"), "{code}: the host was touched");
    assert_eq!(snapshot(&mut agent).await, accepted, "{code}: what is accepted was touched");

    go_on(&agent, 100).await;
    agent.end().await;
}

/// The next good update is taken.
async fn go_on(agent: &Agent, serial: u64) {
    let better = agent.orchestrator.blob("better");
    let next = agent.orchestrator.manifest(serial, &json!({"files/etc/motd": {"content": better}}));
    agent.orchestrator.set_head(agent.orchestrator.lay_down(&next));
    agent.wait_for("etc/motd", Some("better")).await;
}

async fn snapshot(agent: &mut Agent) -> serde_json::Value {
    agent.stop().await;
    let (store, _) = Store::open(&agent.store()).unwrap();
    let mut accepted = serde_json::to_value(Accepted::load(&store).unwrap()).unwrap();
    // Each look proves the head anew: when it was issued and ends is no state.
    accepted["marks"]["issued"] = json!(0);
    accepted["expires"] = json!(0);
    drop(store);
    agent.start().await;
    accepted
}

fn evil(orchestrator: &TestOrchestrator, serial: u64) -> Manifest {
    let content = orchestrator.blob("evil");
    orchestrator.manifest(serial, &json!({"files/etc/motd": {"content": content}}))
}

/// Answers with this head, signed by `key`, whatever nonce is asked with.
fn replay(orchestrator: &TestOrchestrator, head: &Head, key: &TestKey) {
    let bytes = serde_json::to_vec(head).unwrap();
    orchestrator.replay(&bytes, &key.sign(&bytes));
}

fn path_of(orchestrator: &TestOrchestrator, head: &Head) -> String {
    format!("hosts/{}/{}.json", orchestrator.host.id, head.manifest)
}
