//! Root documents, and manifests by keys that no root document names.

use super::*;
use crate::accepted::load_root;
use muster_schema::Timestamp;
use muster_schema::root::Role;

async fn root_version(agent: &mut Agent) -> u64 {
    agent.stop().await;
    let (store, _) = Store::open(&agent.store()).unwrap();
    let version = load_root(&store).unwrap().unwrap().root().version;
    drop(store);
    agent.start().await;
    version
}

/// A next root document that does not stand is not followed, and the next good one is.
async fn not_followed(attack: impl FnOnce(&TestOrchestrator)) {
    let (mut agent, _) = begin().await;
    let accepted = snapshot(&mut agent).await;
    attack(&agent.orchestrator);
    agent.restart().await;
    agent.wait_for_rejection(RejectCode::RootInvalid.as_str()).await;
    assert_eq!(root_version(&mut agent).await, 1);
    assert_eq!((agent.read("etc/motd").as_deref(), snapshot(&mut agent).await), (Some("good"), accepted));

    agent.orchestrator.publish_root(2, 1, &[&agent.orchestrator.root_key]);
    agent.restart().await;
    go_on(&agent, 100).await;
    assert_eq!(root_version(&mut agent).await, 2);
    agent.end().await;
}

#[tokio::test]
async fn a01_a_root_signed_only_by_new_keys() {
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
async fn a09_a_manifest_by_another_key() {
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
async fn a02_a_root_signed_only_by_old_keys() {
    not_followed(|orchestrator| {
        let mut root = orchestrator.root(2, 1);
        root.roles.root.keys = vec![TestKey::new().public()];
        orchestrator.put_root(&root, 2, &[&orchestrator.root_key]);
    })
    .await;
}

#[tokio::test]
async fn a03_a_root_that_skips_a_version() {
    not_followed(|orchestrator| {
        orchestrator.put_root(&orchestrator.root(3, 1), 2, &[&orchestrator.root_key]);
    })
    .await;
}

#[tokio::test]
async fn a04_a_threshold_met_by_one_key_twice() {
    not_followed(|orchestrator| {
        let (mut root, second) = (orchestrator.root(2, 1), TestKey::new());
        root.roles.root = Role { threshold: 2, keys: vec![orchestrator.root_key.public(), second.public()] };
        orchestrator.put_root(&root, 2, &[&orchestrator.root_key]);
        // The one signature once more, in the place of the other's.
        let again = orchestrator.get(&format!("2.root.json.{}.minisig", orchestrator.root_key.public().id()));
        orchestrator.put(&format!("2.root.json.{}.minisig", second.public().id()), &again);
    })
    .await;
}

#[tokio::test]
async fn a05_a_threshold_of_nobody() {
    not_followed(|orchestrator| {
        let mut root = orchestrator.root(2, 1);
        root.roles.render.threshold = 0;
        orchestrator.put_root(&root, 2, &[&orchestrator.root_key]);
    })
    .await;
}

#[tokio::test]
async fn a06_one_key_in_two_roles() {
    not_followed(|orchestrator| {
        let mut root = orchestrator.root(2, 1);
        root.roles.render.keys = vec![orchestrator.fresh.public()];
        orchestrator.put_root(&root, 2, &[&orchestrator.root_key]);
    })
    .await;
}

#[tokio::test]
async fn a07_an_expired_root_on_the_way_to_a_valid_one() {
    let (mut agent, _) = begin().await;
    let mut expired = agent.orchestrator.root(2, 1);
    expired.expires = Timestamp(1);
    agent.orchestrator.put_root(&expired, 2, &[&agent.orchestrator.root_key]);
    agent.orchestrator.publish_root(3, 1, &[&agent.orchestrator.root_key]);
    agent.restart().await;
    go_on(&agent, 100).await;
    assert_eq!(root_version(&mut agent).await, 3);
    assert!(agent.orchestrator.reports().iter().all(|report| report.rejections.is_empty()));
    agent.end().await;
}

#[tokio::test]
async fn a08_an_expired_newest_root_holds() {
    let mut agent = Agent::begin().await;
    let good = agent.orchestrator.blob("good");
    let good = agent.orchestrator.manifest(1, &json!({"files/etc/motd": {"content": good}}));
    let head = agent.orchestrator.lay_down(&good);
    agent.orchestrator.set_head(Head { expires: head.issued.plus(Duration::from_secs(2)), ..head });
    agent.wait_for("etc/motd", Some("good")).await;
    agent.wait_for_transitions(1).await;
    let mut expired = agent.orchestrator.root(2, 1);
    expired.expires = Timestamp(1);
    agent.orchestrator.put_root(&expired, 2, &[&agent.orchestrator.root_key]);
    let accepted = snapshot(&mut agent).await;
    agent.wait_for_rejection(RejectCode::RootExpired.as_str()).await;
    let evil = evil(&agent.orchestrator, 2);
    agent.orchestrator.set_head(agent.orchestrator.lay_down(&evil));
    tokio::time::sleep(Duration::from_millis(2500)).await;
    agent.orchestrator.set_head(agent.orchestrator.lay_down(&evil));
    agent.wait_for_report(|report| report.reason == "Stale").await;
    // What is in force is still enforced.
    agent.write("etc/motd", "drift");
    agent.wait_for("etc/motd", Some("good")).await;
    assert_eq!(snapshot(&mut agent).await, accepted);

    agent.orchestrator.publish_root(3, 1, &[&agent.orchestrator.root_key]);
    agent.restart().await;
    go_on(&agent, 100).await;
    agent.end().await;
}

#[tokio::test]
async fn a09_a_manifest_by_a_key_that_was_rotated_out() {
    let (mut agent, _) = begin().await;
    let (mut root, new) = (agent.orchestrator.root(2, 1), TestKey::new());
    root.roles.render.keys = vec![new.public()];
    agent.orchestrator.put_root(&root, 2, &[&agent.orchestrator.root_key]);
    agent.restart().await;
    let accepted = snapshot(&mut agent).await;
    // By the old key, also under the new one's name.
    let head = agent.orchestrator.lay_down(&evil(&agent.orchestrator, 2));
    let path = path_of(&agent.orchestrator, &head);
    let place = |key: &TestKey| format!("{path}.{}.minisig", key.public().id());
    agent.orchestrator.put(&place(&new), &agent.orchestrator.get(&place(&agent.orchestrator.render)));
    agent.orchestrator.set_head(head);
    agent.wait_for_rejection(RejectCode::ManifestSignature.as_str()).await;
    assert_eq!((agent.read("etc/motd").as_deref(), snapshot(&mut agent).await), (Some("good"), accepted));

    let better = agent.orchestrator.blob("better");
    let manifest = agent.orchestrator.manifest(3, &json!({"files/etc/motd": {"content": better}}));
    let head = agent.orchestrator.lay_down(&manifest);
    let path = path_of(&agent.orchestrator, &head);
    let signature = new.sign(&agent.orchestrator.get(&path));
    agent.orchestrator.put(&format!("{path}.{}.minisig", new.public().id()), signature.text().as_bytes());
    agent.orchestrator.set_head(head);
    agent.wait_for("etc/motd", Some("better")).await;
    agent.end().await;
}

#[tokio::test]
async fn a10_a_serial_that_ran_ahead_and_a_new_epoch() {
    let (mut agent, _) = begin().await;
    let ahead = agent.orchestrator.blob("ahead");
    let ahead = agent.orchestrator.manifest(1 << 63, &json!({"files/etc/motd": {"content": ahead}}));
    agent.orchestrator.set_head(agent.orchestrator.lay_down(&ahead));
    agent.wait_for("etc/motd", Some("ahead")).await;
    // Honest serials are behind now.
    let better = agent.orchestrator.blob("better");
    let mut manifest = agent.orchestrator.manifest(3, &json!({"files/etc/motd": {"content": better}}));
    agent.orchestrator.set_head(agent.orchestrator.lay_down(&manifest));
    agent.wait_for_rejection(RejectCode::HeadOlder.as_str()).await;
    assert_eq!(agent.read("etc/motd").as_deref(), Some("ahead"));

    agent.orchestrator.publish_root(2, 2, &[&agent.orchestrator.root_key]);
    manifest.epoch = 2;
    agent.orchestrator.set_head(agent.orchestrator.lay_down(&manifest));
    agent.restart().await;
    agent.wait_for("etc/motd", Some("better")).await;
    assert_eq!(root_version(&mut agent).await, 2);
    // The old epoch is over, whatever its serial.
    agent.orchestrator.set_head(agent.orchestrator.lay_down(&ahead));
    agent
        .wait("another refusal", || {
            let all = agent.orchestrator.reports();
            all.iter().flat_map(|report| &report.rejections).any(|found| found.message.contains("epoch 1"))
        })
        .await;
    assert_eq!(agent.read("etc/motd").as_deref(), Some("better"));
    agent.end().await;
}
