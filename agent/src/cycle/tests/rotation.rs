//! Exchanged keys, as an agent sees them.

use super::breakglass::People;
use super::harness::Agent;
use crate::test_orchestrator::TestKey;
use muster_schema::root::MAX_ROOT_BYTES;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn a_host_that_waits_for_approval_follows_the_root_to_the_key_that_answers_it() {
    let mut agent = Agent::begin().await;
    agent.stop().await;
    std::fs::remove_dir_all(agent.store()).unwrap();
    let (orchestrator, fresh) = (agent.orchestrator.clone(), Arc::new(TestKey::new()));
    let mut next = orchestrator.root(2, 1);
    next.roles.fresh.keys = vec![fresh.public()];
    orchestrator.put_root(&next, 2, &[&orchestrator.root_key]);
    orchestrator.set_fresh(fresh);
    orchestrator.publish(&json!({"files/etc/motd": {"content": orchestrator.blob("good")}}));
    agent.start().await;
    agent.wait_for("etc/motd", Some("good")).await;
    agent.end().await;
}

/// People's keys are those of a root document that came just before the orchestrator was lost.
#[tokio::test]
async fn a_root_counts_at_once_though_nothing_can_be_fetched_after_it() {
    let mut agent = Agent::begin().await;
    agent.orchestrator.publish(&json!({"files/etc/motd": {"content": agent.orchestrator.blob("good")}}));
    agent.wait_for("etc/motd", Some("good")).await;
    agent.orchestrator.put("3.root.json", &[b' '; MAX_ROOT_BYTES + 1]);
    tokio::time::timeout(Duration::from_secs(20), People::begin(&mut agent, 2)).await.unwrap();
    agent.end().await;
}
