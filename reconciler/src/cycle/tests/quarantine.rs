//! Hosts that two machines say to be.

use super::*;

const FILE: &str = "environments/lab/hosts/web-1.yaml";

/// A fleet whose host has something, and was found to be two machines.
fn quarantined() -> Fleet {
    let mut fleet = Fleet::start();
    fleet.orchestrator.reconcile().unwrap();
    fleet.rename("a");
    fleet.report_applied();
    fleet.orchestrator.quarantine(&[fleet.identity()]);
    fleet
}

fn release(fleet: &Fleet, host: &str) {
    fleet.repo.git(&["commit", "-q", "--allow-empty", "-S", "-m", &format!("Release\n\nMuster-Release: {host}")]);
    fleet.repo.git(&["push", "-q", "origin", "main"]);
}

fn health(fleet: &Fleet) -> (Health, String) {
    let axes = fleet.orchestrator.state().fleet().hosts[&id()].axes(clock::now());
    (axes.health, axes.reason)
}

#[test]
fn it_keeps_what_it_has_until_a_signed_commit_releases_it() {
    let mut fleet = quarantined();
    let (before, suspected) = (fleet.manifest(), (Health::Degraded, "CloneSuspected".to_owned()));
    assert_eq!(health(&fleet), suspected);
    fleet.push("second");
    assert_eq!(fleet.orchestrator.reconcile().unwrap(), []);
    assert_eq!(fleet.rename("b"), 0, "nor by facts");
    assert_eq!((fleet.manifest(), health(&fleet)), (before.clone(), suspected.clone()));
    release(&fleet, "web-2");
    assert_eq!(fleet.orchestrator.reconcile().unwrap(), []);
    assert_eq!(health(&fleet), suspected, "another host was released");
    release(&fleet, "web-1");
    assert_eq!(fleet.orchestrator.reconcile().unwrap(), [id()]);
    assert!(fleet.manifest().serial > before.serial && fleet.hold().is_none());
    assert_eq!(fleet.orchestrator.released, [fleet.identity()], "the door begins anew with it");
}

#[test]
fn another_key_ends_it_and_a_key_of_before_begins_none() {
    let mut fleet = quarantined();
    let old = fleet.identity();
    fleet.pair = KeyPair::generate_unencrypted_keypair().unwrap();
    fleet.repo.write(FILE, &format!("key: \"{}\"\n", fleet.identity().key));
    fleet.push("re-keyed");
    assert_eq!(fleet.orchestrator.reconcile().unwrap(), [id(), id()], "something new, and the old key is to hear");
    assert_eq!(fleet.manifest().host, fleet.identity());
    fleet.orchestrator.quarantine(&[old]);
    assert_eq!(fleet.hold(), None);
}

#[tokio::test]
async fn it_stands_on_the_status_branch_and_outlives_a_restart() {
    let mut fleet = quarantined();
    let commit = fleet.commit_status().await;
    let bare = fleet.repo.bare();
    let file = fleet.repo.git(&["--git-dir", bare.to_str().unwrap(), "grep", "CloneSuspected", &commit, "--", "hosts"]);
    assert!(file.contains("Degraded/CloneSuspected"), "{file}");
    let mut fleet = fleet.restart();
    fleet.push("second");
    assert_eq!(fleet.orchestrator.reconcile().unwrap(), []);
    assert_eq!(health(&fleet).1, "CloneSuspected");
}
