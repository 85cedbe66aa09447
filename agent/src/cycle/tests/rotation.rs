//! Exchanged keys, as an agent sees them.

use super::harness::Agent;
use crate::test_orchestrator::TestKey;
use serde_json::json;
use std::sync::Arc;

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
