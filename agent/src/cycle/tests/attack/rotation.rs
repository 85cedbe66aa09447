//! Keys that were exchanged, and root documents that ended, while the agent is at work.

use super::*;
use muster_schema::Timestamp;
use muster_schema::root::Root;
use std::sync::Arc;

const YEAR: i64 = 365 * 86_400_000;

fn publish(agent: &Agent, text: &str) -> Head {
    agent.orchestrator.publish(&json!({"files/etc/motd": {"content": agent.orchestrator.blob(text)}}))
}

#[tokio::test]
async fn a08_an_expired_root_holds_until_the_next_without_a_restart() {
    let (mut agent, _) = begin().await;
    let expired = Root { expires: Timestamp(1), ..agent.orchestrator.root(2, 1) };
    agent.orchestrator.put_root(&expired, 2, &[&agent.orchestrator.root_key]);
    agent.orchestrator.tell_root(2);
    publish(&agent, "new");
    agent.wait_for_rejection("RootExpired").await;
    assert_eq!(agent.read("etc/motd").as_deref(), Some("good"));
    agent.orchestrator.publish_root(3, 1, &[&agent.orchestrator.root_key]);
    agent.orchestrator.tell_root(3);
    agent.wait_for("etc/motd", Some("new")).await;
    agent.end().await;
}

#[tokio::test]
async fn a08_a_clock_set_back_does_not_revive_an_expired_root() {
    let (mut agent, _) = begin().await;
    agent.stop().await;
    // The host's clock stands a year before now, and the root ended half a year ago.
    agent.orchestrator.shift_clock(YEAR);
    let expires = Timestamp(agent.orchestrator.now().0.saturating_add_signed(-YEAR / 2));
    let expired = Root { expires, ..agent.orchestrator.root(2, 1) };
    agent.orchestrator.put_root(&expired, 2, &[&agent.orchestrator.root_key]);
    publish(&agent, "evil");
    agent.start().await;
    agent.wait_for_rejection("RootExpired").await;
    assert_eq!(agent.read("etc/motd").as_deref(), Some("good"));
    agent.orchestrator.publish_root(3, 1, &[&agent.orchestrator.root_key]);
    publish(&agent, "better");
    agent.wait_for("etc/motd", Some("better")).await;
    agent.end().await;
}

#[tokio::test]
async fn a09_heads_and_replies_by_a_key_that_was_rotated_out() {
    let (mut agent, _) = begin().await;
    let fresh = Arc::new(TestKey::new());
    let mut next = agent.orchestrator.root(2, 1);
    next.roles.fresh.keys = vec![fresh.public()];
    agent.orchestrator.put_root(&next, 2, &[&agent.orchestrator.root_key]);
    agent.orchestrator.tell_root(2);
    // The thief has the old key, and the wire.
    publish(&agent, "evil");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(agent.read("etc/motd").as_deref(), Some("good"));
    agent.orchestrator.set_fresh(fresh);
    publish(&agent, "better");
    agent.wait_for("etc/motd", Some("better")).await;
    agent.end().await;
}
