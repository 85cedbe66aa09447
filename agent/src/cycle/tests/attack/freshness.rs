//! What was good once, or is good elsewhere.

use super::*;
use muster_schema::state::Health;

#[tokio::test]
async fn a11_an_older_serial() {
    refused(RejectCode::HeadOlder, |orchestrator, _| {
        orchestrator.set_head(orchestrator.lay_down(&evil(orchestrator, 0)));
    })
    .await;
}

#[tokio::test]
async fn a12_the_same_serial_with_another_digest() {
    refused(RejectCode::HeadSerialConflict, |orchestrator, _| {
        orchestrator.set_head(orchestrator.lay_down(&evil(orchestrator, 1)));
    })
    .await;
}

#[tokio::test]
async fn a13_an_old_head_replayed() {
    refused(RejectCode::HeadNonce, |orchestrator, _| {
        let head = orchestrator.lay_down(&evil(orchestrator, 2));
        replay(orchestrator, &head, &orchestrator.fresh);
    })
    .await;
}

#[tokio::test]
async fn a13_a_head_that_is_valid_too_long() {
    refused(RejectCode::HeadLifeTooLong, |orchestrator, _| {
        let mut head = orchestrator.lay_down(&evil(orchestrator, 2));
        head.expires = head.issued.plus(Duration::from_secs(25 * 60 * 60));
        orchestrator.set_head(head);
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
async fn a15_a_manifest_of_another_host() {
    refused(RejectCode::ManifestOtherHost, |orchestrator, _| {
        let mut manifest = evil(orchestrator, 2);
        manifest.host.key = TestKey::new().public();
        orchestrator.set_head(orchestrator.lay_down(&manifest));
    })
    .await;
}

#[tokio::test]
async fn a15_a_head_for_this_id_with_another_key() {
    refused(RejectCode::HeadOtherHost, |orchestrator, _| {
        let mut head = orchestrator.lay_down(&evil(orchestrator, 2));
        head.host.key = TestKey::new().public();
        orchestrator.set_head(head);
    })
    .await;
}

#[tokio::test]
async fn a16_a_head_of_another_fleet() {
    refused(RejectCode::HeadOtherFleet, |orchestrator, _| {
        let mut head = orchestrator.lay_down(&evil(orchestrator, 2));
        head.fleet = "other".parse().unwrap();
        orchestrator.set_head(head);
    })
    .await;
}

#[tokio::test]
async fn a16_a_manifest_of_another_fleet() {
    refused(RejectCode::ManifestOtherFleet, |orchestrator, _| {
        let mut manifest = evil(orchestrator, 2);
        manifest.fleet = "other".parse().unwrap();
        orchestrator.set_head(orchestrator.lay_down(&manifest));
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

#[tokio::test]
async fn a13_a_frozen_head_past_its_expiry_holds() {
    let mut agent = Agent::begin().await;
    let content = agent.orchestrator.blob("right");
    let mut head = agent.orchestrator.publish(&json!({"files/etc/motd": {"content": content}}));
    agent.wait_for("etc/motd", Some("right")).await;
    let fresh = head.expires;
    head.expires = crate::io::clock::now().plus(std::time::Duration::from_secs(2));
    agent.orchestrator.set_head(head.clone());
    agent.wait_for_report(|report| report.health == Health::Healthy).await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    agent.orchestrator.set_head(head.clone());
    agent.wait_for_report(|report| (report.health, &*report.reason) == (Health::Unknown, "Stale")).await;
    agent.write("etc/motd", "wrong");
    agent.wait_for("etc/motd", Some("right")).await;

    head.expires = fresh;
    agent.orchestrator.set_head(head);
    agent.wait("a good report", || agent.orchestrator.reports().pop().unwrap().health == Health::Healthy).await;
    agent.end().await;
}

const YEAR: i64 = 365 * 86_400_000;

#[tokio::test]
async fn a17_a_clock_a_year_behind_rolls_nothing_back() {
    let (mut agent, old) = begin().await;
    let better = agent.orchestrator.blob("better");
    agent.orchestrator.shift_clock(YEAR);
    agent.orchestrator.publish(&json!({"files/etc/motd": {"content": better}}));
    agent.wait_for("etc/motd", Some("better")).await;
    let accepted = snapshot(&mut agent).await;
    // By the host's own clock this one is still good.
    replay(&agent.orchestrator, &old, &agent.orchestrator.fresh);
    agent.wait_for_rejection(RejectCode::HeadOlder.as_str()).await;
    assert_eq!((agent.read("etc/motd").as_deref(), snapshot(&mut agent).await), (Some("better"), accepted));
    agent.orchestrator.publish(&json!({}));
    agent.wait_for("etc/motd", None).await;
    agent.end().await;
}

#[tokio::test]
async fn a17_a_clock_a_year_ahead_holds_and_recovers_by_a_nonce() {
    let mut agent = Agent::begin().await;
    agent.orchestrator.shift_clock(-YEAR);
    let good = agent.orchestrator.blob("good");
    let head = agent.orchestrator.publish(&json!({"files/etc/motd": {"content": good}}));
    // It holds the nonce, so it is new, though it ended a year ago by the host's clock.
    agent.wait_for("etc/motd", Some("good")).await;
    agent.wait_for_report(|report| report.reason == "Stale").await;
    let accepted = snapshot(&mut agent).await;
    replay(&agent.orchestrator, &head, &agent.orchestrator.fresh);
    agent.wait_for_rejection(RejectCode::HeadNonce.as_str()).await;
    agent.write("etc/motd", "drift");
    agent.wait_for("etc/motd", Some("good")).await;
    assert_eq!(snapshot(&mut agent).await, accepted);

    agent.orchestrator.shift_clock(0);
    go_on(&agent, 100).await;
    agent.wait("a good report", || agent.orchestrator.reports().pop().unwrap().health == Health::Healthy).await;
    agent.end().await;
}

/// Takes a first manifest and a second one; between them and after both, `tamper` may do as it likes with the store.
/// Whatever it did, the first is not in force again, not for a moment, and its head is not taken.
async fn no_rollback(tamper: impl Fn(&std::path::Path, bool)) {
    let (mut agent, old) = begin().await;
    agent.stop().await;
    tamper(&agent.store(), false);
    agent.start().await;
    let better = agent.orchestrator.blob("better");
    agent.orchestrator.publish(&json!({"files/etc/motd": {"content": better}}));
    agent.wait_for("etc/motd", Some("better")).await;
    agent
        .wait("the status to tell", || {
            let status = crate::io::status_file::load_status(agent.state());
            status.is_ok_and(|status| status.applied.is_some_and(|applied| applied.serial == 2))
        })
        .await;
    agent.stop().await;
    tamper(&agent.store(), true);
    replay(&agent.orchestrator, &old, &agent.orchestrator.fresh);
    let told = agent.orchestrator.reports().len();
    agent.start().await;
    agent.wait_for_rejection(RejectCode::HeadNonce.as_str()).await;
    assert_eq!(agent.read("etc/motd").as_deref(), Some("better"));
    agent.orchestrator.publish(&json!({}));
    agent.wait_for("etc/motd", None).await;
    agent.end().await;
    let changes: Vec<_> =
        agent.orchestrator.reports().into_iter().skip(told).flat_map(|report| report.transitions).collect();
    assert!(changes.len() <= 1, "only the last manifest changed the host: {changes:?}");
}

#[tokio::test]
async fn a18_a_store_that_was_cut_off_never_rolls_back() {
    no_rollback(|store, last| {
        if last {
            for entry in
                std::fs::read_dir(store).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file())
            {
                let length = std::fs::metadata(&entry).unwrap().len();
                std::fs::File::options().write(true).open(&entry).unwrap().set_len(length / 2).unwrap();
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a18_a_store_from_a_backup_never_rolls_back() {
    // With the contents beside it, so that the older manifest is whole.
    no_rollback(|store, last| {
        for folder in [store.to_owned(), store.with_file_name("blobs")] {
            let backup = folder.with_extension("backup");
            let (from, to) = if last { (&backup, &folder) } else { (&folder, &backup) };
            let _ = std::fs::remove_dir_all(to);
            let copied = std::process::Command::new("cp").arg("-a").args([from, to]).status().unwrap();
            assert!(copied.success());
        }
    })
    .await;
}

#[tokio::test]
async fn a18_a_manifest_that_was_damaged_is_fetched_again() {
    let (mut agent, head) = begin().await;
    agent.stop().await;
    let path = agent.state().join(format!("blobs/{}", head.manifest));
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    agent.write("etc/motd", "drift");
    agent.start().await;
    agent.wait_for("etc/motd", Some("good")).await;
    agent.end().await;
}
