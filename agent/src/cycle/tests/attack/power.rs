//! The power goes while a manifest is taken.

use super::*;
use crate::test_disk::Disk;
use crate::vault::Vault;
use std::path::Path;

/// What is accepted is whole, and is what was told or newer.
fn check(state: &Path, told: u64) {
    let (store, _) = Store::open(&state.join("store")).unwrap();
    let blobs = Vault::look(&state.join("blobs"));
    let Some(accepted) = Accepted::load(&store).unwrap() else {
        assert_eq!(told, 0, "what was told is not accepted");
        return;
    };
    assert!(accepted.marks.serial >= told, "{} is accepted, {told} was told", accepted.marks.serial);
    let manifest = accepted.manifest(&blobs).expect("the accepted manifest is there");
    assert_eq!((manifest.serial, accepted.applied.serial), (accepted.marks.serial, accepted.marks.serial));
    for blob in manifest.resources.iter().flat_map(|resource| resource.blobs()) {
        assert!(blobs.load(&blob).is_some(), "a blob of the accepted manifest is not there");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_a_power_cut_leaves_nothing_half_trusted() {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::new(dir.path()) else {
        eprintln!("SKIPPED: power cuts need root, loop devices, ext4 and XFS");
        return;
    };
    let mut agent = Agent::begin_in(disk.path()).await;
    let state = agent.state().strip_prefix(disk.path()).unwrap().to_owned();
    for cut in 0..30 {
        let told =
            agent.orchestrator.reports().iter().filter_map(|report| report.applied.as_ref()).map(|it| it.serial).max();
        let text = format!("content {cut}");
        let content = agent.orchestrator.blob(&text);
        agent.orchestrator.publish(&json!({"files/etc/motd": {"content": content}}));
        tokio::time::sleep(Duration::from_millis(cut * 4)).await;
        check(&disk.cut().path().join(&state), told.unwrap_or_default());
        agent.wait_for("etc/motd", Some(&text)).await;
    }
    agent.end().await;
    drop(agent);
    drop(disk);
}
