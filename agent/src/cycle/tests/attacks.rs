//! Attacks on the published tree. After each: the file on disk and what is accepted stay as they were, the code is
//! reported, and the next good update goes through.

use super::harness::Agent;
use crate::accepted::Accepted;
use crate::store::Store;
use crate::test_orchestrator::{TestKey, TestOrchestrator};
use crate::verify::RejectCode;
use muster_schema::head::Head;
use muster_schema::manifest::Manifest;
use serde_json::json;
use std::time::Duration;

/// Lets `attack` publish something on top of a good state.
async fn refused(code: RejectCode, attack: impl FnOnce(&TestOrchestrator, Head)) {
    let mut agent = Agent::begin().await;
    let good = agent.orchestrator.blob("good");
    let head = agent.orchestrator.publish(&json!({"files/etc/motd": {"content": good}}));
    agent.wait_for("etc/motd", Some("good")).await;
    agent.wait_for_transitions(1).await;
    let accepted = snapshot(&mut agent).await;

    attack(&agent.orchestrator, head);
    agent.wait_for_rejection(code.as_str()).await;
    assert_eq!(agent.read("etc/motd").as_deref(), Some("good"), "{code}: the host was touched");
    assert_eq!(snapshot(&mut agent).await, accepted, "{code}: what is accepted was touched");

    let better = agent.orchestrator.blob("better");
    let next = agent.orchestrator.manifest(100, &json!({"files/etc/motd": {"content": better}}));
    agent.orchestrator.set_head(agent.orchestrator.lay_down(&next));
    agent.wait_for("etc/motd", Some("better")).await;
    agent.end().await;
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

#[tokio::test]
async fn a9_manifest_by_another_key() {
    refused(RejectCode::ManifestSignature, |orchestrator, _| {
        let head = orchestrator.lay_down(&evil(orchestrator, 2));
        let path = path_of(orchestrator, &head);
        let forged = TestKey::new().sign(&orchestrator.get(&path));
        orchestrator.put(&format!("{path}.{}.minisig", orchestrator.render.public().id()), forged.text().as_bytes());
        orchestrator.set_head(head);
    })
    .await;
}

#[tokio::test]
async fn a11_older_serial() {
    refused(RejectCode::HeadOlder, |orchestrator, _| {
        orchestrator.set_head(orchestrator.lay_down(&evil(orchestrator, 0)));
    })
    .await;
}

#[tokio::test]
async fn a12_same_serial_other_digest() {
    refused(RejectCode::HeadSerialConflict, |orchestrator, _| {
        orchestrator.set_head(orchestrator.lay_down(&evil(orchestrator, 1)));
    })
    .await;
}

#[tokio::test]
async fn a13_a_head_without_our_nonce() {
    refused(RejectCode::HeadNonce, |orchestrator, _| {
        let head = orchestrator.lay_down(&evil(orchestrator, 2));
        replay(orchestrator, &head, &orchestrator.fresh);
    })
    .await;
}

#[tokio::test]
async fn a14_new_head_with_an_old_manifest() {
    refused(RejectCode::ManifestSerial, |orchestrator, old| {
        let old_manifest = evil(orchestrator, 1);
        let laid = orchestrator.lay_down(&old_manifest);
        orchestrator.set_head(Head { serial: old.serial + 5, ..laid });
    })
    .await;
}

#[tokio::test]
async fn a15_manifest_of_another_host() {
    refused(RejectCode::ManifestOtherHost, |orchestrator, _| {
        let mut manifest = evil(orchestrator, 2);
        manifest.host.key = TestKey::new().public();
        orchestrator.set_head(orchestrator.lay_down(&manifest));
    })
    .await;
}

#[tokio::test]
async fn a15_head_for_this_id_with_another_key() {
    refused(RejectCode::HeadOtherHost, |orchestrator, _| {
        let mut head = orchestrator.lay_down(&evil(orchestrator, 2));
        head.host.key = TestKey::new().public();
        orchestrator.set_head(head);
    })
    .await;
}

#[tokio::test]
async fn a16_another_fleet() {
    refused(RejectCode::HeadOtherFleet, |orchestrator, _| {
        let mut head = orchestrator.lay_down(&evil(orchestrator, 2));
        head.fleet = "other".parse().unwrap();
        orchestrator.set_head(head);
    })
    .await;
}

#[tokio::test]
async fn a20_a_flipped_bit_in_the_head() {
    refused(RejectCode::HeadSignature, |orchestrator, _| {
        let head = orchestrator.lay_down(&evil(orchestrator, 2));
        let mut bytes = serde_json::to_vec(&head).unwrap();
        let signature = orchestrator.fresh.sign(&bytes);
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
        orchestrator.replay(&bytes, &signature);
    })
    .await;
}

#[tokio::test]
async fn a20_a_flipped_bit_in_the_manifest() {
    refused(RejectCode::ManifestSignature, |orchestrator, _| {
        let head = orchestrator.lay_down(&evil(orchestrator, 2));
        let path = path_of(orchestrator, &head);
        let mut bytes = orchestrator.get(&path);
        bytes[10] ^= 1;
        orchestrator.put(&path, &bytes);
        orchestrator.set_head(head);
    })
    .await;
}

#[tokio::test]
async fn a20_another_blob_under_the_digest() {
    refused(RejectCode::BlobMismatch, |orchestrator, _| {
        let manifest = evil(orchestrator, 2);
        let blob = manifest.resources[0].spec.blobs()[0];
        orchestrator.put(&format!("blobs/{}", blob.sha256), b"Evil");
        orchestrator.set_head(orchestrator.lay_down(&manifest));
    })
    .await;
}

#[tokio::test]
async fn a24_a_manifest_shown_as_a_head() {
    refused(RejectCode::HeadMalformed, |orchestrator, _| {
        let bytes = serde_json::to_vec(&evil(orchestrator, 2)).unwrap();
        orchestrator.replay(&bytes, &orchestrator.fresh.sign(&bytes));
    })
    .await;
}

#[tokio::test]
async fn a25_a_duplicate_key() {
    refused(RejectCode::HeadMalformed, |orchestrator, _| {
        let head = serde_json::to_string(&orchestrator.lay_down(&evil(orchestrator, 2))).unwrap();
        let twice = head.replacen('{', "{\"serial\":9,", 1);
        orchestrator.replay(twice.as_bytes(), &orchestrator.fresh.sign(twice.as_bytes()));
    })
    .await;
}

#[tokio::test]
async fn a_head_that_is_valid_too_long() {
    refused(RejectCode::HeadLifeTooLong, |orchestrator, _| {
        let mut head = orchestrator.lay_down(&evil(orchestrator, 2));
        head.expires = head.issued.plus(Duration::from_secs(25 * 60 * 60));
        orchestrator.set_head(head);
    })
    .await;
}

#[tokio::test]
async fn a37_a_path_of_the_kernel() {
    refused(RejectCode::ManifestResources, |orchestrator, _| {
        let content = orchestrator.blob("1");
        let manifest = orchestrator.manifest(2, &json!({"files/proc/sys/kernel/panic": {"content": content}}));
        orchestrator.set_head(orchestrator.lay_down(&manifest));
    })
    .await;
}

#[tokio::test]
async fn a1_a_root_signed_only_by_new_keys() {
    refused(RejectCode::RootInvalid, |orchestrator, head| {
        let mut root = orchestrator.root(2, 1);
        let thief = TestKey::new();
        root.roles.root.keys = vec![thief.public()];
        let bytes = serde_json::to_vec(&root).unwrap();
        orchestrator.put(&format!("2.root.json.{}.minisig", thief.public().id()), thief.sign(&bytes).text().as_bytes());
        orchestrator.put("2.root.json", &bytes);
        // A head whose signature does not stand makes the agent look for a new root.
        replay(orchestrator, &head, &thief);
    })
    .await;
}

#[tokio::test]
async fn a18_a_lost_store_never_rolls_back() {
    let mut agent = Agent::begin().await;
    let good = agent.orchestrator.blob("good");
    let old = agent.orchestrator.publish(&json!({"files/etc/motd": {"content": good}}));
    agent.wait_for("etc/motd", Some("good")).await;
    let better = agent.orchestrator.blob("better");
    agent.orchestrator.publish(&json!({"files/etc/motd": {"content": better}}));
    agent.wait_for("etc/motd", Some("better")).await;
    agent.stop().await;
    std::fs::remove_dir_all(agent.store()).unwrap();
    // The thief replays the first head, which was good once.
    replay(&agent.orchestrator, &old, &agent.orchestrator.fresh);
    agent.start().await;
    agent.wait_for_rejection("HeadNonce").await;
    assert_eq!(agent.read("etc/motd").as_deref(), Some("better"));
    agent.orchestrator.publish(&json!({}));
    agent.wait_for("etc/motd", None).await;
    agent.end().await;
}
