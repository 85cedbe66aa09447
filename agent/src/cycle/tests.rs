//! The whole agent over a published tree: what it does to real files, and what it refuses.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod attack;
mod breakglass;
mod exceptions;
mod harness;
mod live;
mod rotation;
mod secrets;
mod verbatim;

use crate::test_web::{Web, send};
use harness::Agent;
use muster_schema::Sha256Digest;
use muster_schema::report::Transition;
use muster_schema::state::{Cause, Health, ResourceState};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[tokio::test]
async fn a_published_file_reaches_the_disk_and_drift_heals() {
    let mut agent = Agent::begin().await;
    let content = agent.orchestrator.blob("right\n");
    agent.orchestrator.publish(&json!({"files/etc/motd": {"content": content}}));
    agent.wait_for("etc/motd", Some("right\n")).await;

    agent.write("etc/motd", "wrong\n");
    agent.wait_for("etc/motd", Some("right\n")).await;
    std::fs::remove_file(agent.path("etc/motd")).unwrap();
    agent.wait_for("etc/motd", Some("right\n")).await;

    agent.orchestrator.publish(&json!({}));
    agent.wait_for("etc/motd", None).await;
    agent.wait_for_transitions(4).await;
    agent.end().await;
    let told: Vec<(u64, Cause)> = agent.transitions().iter().map(|t: &Transition| (t.seq, t.cause)).collect();
    assert_eq!(told, [(1, Cause::Initial), (2, Cause::Corrective), (3, Cause::Corrective), (4, Cause::Intentional)]);
    let last = agent.orchestrator.reports().pop().unwrap();
    assert_eq!((last.health, last.applied.unwrap().serial), (Health::Healthy, 2));
}

#[tokio::test]
async fn drift_that_is_only_audited_is_reported_as_it_happens() {
    let mut agent = Agent::begin().await;
    let content = agent.orchestrator.blob("right");
    agent.write("etc/motd", "right");
    agent.orchestrator.publish(&json!({"files/etc/motd": {"content": content, "meta": {"mode": "audit"}}}));
    agent.wait_for_report(|report| report.counts.get(&ResourceState::Compliant) == Some(&1)).await;
    agent.write("etc/motd", "wrong");
    agent.wait_for_report(|report| report.deviations.iter().any(|one| one.state == ResourceState::NonCompliant)).await;
    assert_eq!(agent.read("etc/motd").as_deref(), Some("wrong"));
    agent.end().await;
}

#[tokio::test]
async fn transitions_made_without_contact_are_told_in_order_once() {
    let mut agent = Agent::begin().await;
    let content = agent.orchestrator.blob("right");
    agent.orchestrator.publish(&json!({"files/etc/motd": {"content": content}}));
    agent.wait_for_transitions(1).await;
    agent.orchestrator.set_silent(true);
    for round in 0..5 {
        agent.write("etc/motd", &format!("wrong {round}"));
        agent.wait_for("etc/motd", Some("right")).await;
    }
    // Another process takes up what this one could not tell.
    agent.restart().await;
    agent.write("etc/motd", "wrong again");
    agent.wait_for("etc/motd", Some("right")).await;
    agent.orchestrator.set_silent(false);
    agent.wait_for_transitions(7).await;
    agent.end().await;
    let told: Vec<u64> = agent.transitions().iter().map(|t| t.seq).collect();
    assert_eq!(told, [1, 2, 3, 4, 5, 6, 7]);
}

#[tokio::test]
async fn a_retired_host_is_left_as_it_is() {
    let mut agent = Agent::begin().await;
    let content = agent.orchestrator.blob("ours");
    let mut head = agent.orchestrator.publish(&json!({"files/etc/motd": {"content": content}}));
    agent.wait_for("etc/motd", Some("ours")).await;
    head.retired = true;
    agent.orchestrator.set_head(head);
    agent.wait_for_report(|report| report.retired).await;
    agent.write("etc/motd", "mine again");
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(agent.read("etc/motd").as_deref(), Some("mine again"));
    agent.end().await;
}

#[tokio::test]
async fn without_contact_the_last_manifest_stays_in_force_after_a_restart() {
    let mut agent = Agent::begin().await;
    let content = agent.orchestrator.blob("right");
    agent.orchestrator.publish(&json!({"files/etc/motd": {"content": content}}));
    agent.wait_for("etc/motd", Some("right")).await;
    agent.orchestrator.set_silent(true);
    agent.stop().await;
    agent.write("etc/motd", "while it was down");
    agent.start().await;
    agent.wait_for("etc/motd", Some("right")).await;
    agent.write("etc/motd", "while it is up");
    agent.wait_for("etc/motd", Some("right")).await;
    agent.end().await;
}

#[tokio::test]
async fn what_one_hint_could_not_bring_comes_without_another() {
    let mut agent = Agent::begin().await;
    let content = agent.orchestrator.blob("right");
    agent.orchestrator.refuse_heads(1);
    agent.orchestrator.publish(&json!({"files/etc/motd": {"content": content}}));
    agent.wait_for("etc/motd", Some("right")).await;
    agent.end().await;
}

#[tokio::test]
async fn the_status_file_knows_the_host_by_its_id_and_key() {
    let mut agent = Agent::begin().await;
    agent.orchestrator.publish(&json!({}));
    let status = || crate::io::status_file::load_status(agent.state());
    agent.wait("the id", || status().is_ok_and(|status| status.id.is_some())).await;
    let status = status().unwrap();
    assert_eq!(status.id, Some(crate::test_orchestrator::host_id()));
    assert_eq!(status.key.len(), 39, "{}", status.key);
    agent.end().await;
}

#[tokio::test]
async fn what_a_run_did_not_get_to_is_no_drift_for_the_next() {
    let mut agent = Agent::begin().await;
    let [first, second] = ["first", "second"].map(|text| agent.orchestrator.blob(text));
    agent.orchestrator.publish(&json!({"files/etc/motd": {"content": first}}));
    agent.wait_for("etc/motd", Some("first")).await;
    agent.stop().await;
    // The last run ends between accepting the second manifest and applying it.
    agent.accept_only(&json!({"files/etc/motd": {"content": second}}), "second");
    agent.start().await;
    agent.wait_for("etc/motd", Some("second")).await;
    agent.restart().await;
    agent.write("etc/motd", "drift");
    agent.wait_for("etc/motd", Some("second")).await;
    agent.wait_for_transitions(3).await;
    agent.end().await;
    let told: Vec<Cause> = agent.transitions().iter().map(|t| t.cause).collect();
    assert_eq!(told, [Cause::Initial, Cause::Intentional, Cause::Corrective]);
}

#[tokio::test]
async fn what_somebody_changes_back_all_the_time_is_left_alone_and_said() {
    let mut agent = Agent::begin().await;
    let content = agent.orchestrator.blob("right");
    agent.orchestrator.publish(&json!({"files/etc/motd": {"content": content}}));
    agent.wait_for("etc/motd", Some("right")).await;
    let is_told = || {
        agent.orchestrator.reports().iter().any(|report| {
            let flagged = report.deviations.first();
            report.health == Health::Degraded
                && report.reason == "Flapping"
                && flagged.is_some_and(|one| one.message.starts_with("changed back 20 times in 60 s"))
        })
    };
    let mut round = 0;
    while !is_told() {
        assert!(round < 1000, "it is put right for ever");
        agent.write("etc/motd", &format!("wrong {round}"));
        round += 1;
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    agent.write("etc/motd", "theirs");
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(agent.read("etc/motd").as_deref(), Some("theirs"));
    agent.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_is_tried_again_without_being_asked() {
    let mut agent = Agent::begin().await;
    let is_there = Arc::new(AtomicBool::new(false));
    let asked = is_there.clone();
    let web = Web::start(move |_, stream| {
        if asked.load(Ordering::SeqCst) {
            send(stream, b"right");
        }
    });
    let other = agent.orchestrator.blob("other");
    agent.orchestrator.publish(&json!({
        "downloads/motd": {"path": "/etc/motd", "url": web.url("/motd"), "sha256": Sha256Digest::of(b"right")},
        "files/etc/other": {"content": other, "meta": {"requires": ["downloads/motd"]}},
    }));
    agent.wait_for_report(|report| report.deviations.len() == 2).await;
    assert_eq!((agent.read("etc/motd"), agent.read("etc/other")), (None, None));
    // Nothing that is watched tells of it, and the next sweep is far.
    is_there.store(true, Ordering::SeqCst);
    agent.wait_for("etc/motd", Some("right")).await;
    agent.wait_for("etc/other", Some("other")).await;
    agent.end().await;
}
