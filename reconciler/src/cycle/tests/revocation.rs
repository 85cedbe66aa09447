//! Whose keys count, by which revision.

use super::*;

const PATH: &str = "environments/lab/hosts/web-1.yaml";

impl Fleet {
    fn may_speak(&self) -> bool {
        self.orchestrator.approved_hosts().allows(&self.identity().key, &id())
    }

    fn is_revoked(&self) -> bool {
        self.orchestrator.approved_hosts().is_revoked(&self.identity().key)
    }

    /// Pushes another host file.
    fn push_host(&self, file: &str) {
        self.repo.write(PATH, file);
        self.repo.commit_as("alice", "host");
        self.repo.git(&["push", "-q", "origin", "main"]);
    }

    fn key_line(&self) -> String {
        format!("key: \"{}\"\n", self.identity().key)
    }
}

fn started() -> Fleet {
    let mut fleet = Fleet::start();
    fleet.orchestrator.reconcile().unwrap();
    fleet.rename("a");
    assert!(fleet.may_speak());
    fleet
}

#[test]
fn a_key_that_leaves_its_file_counts_no_more_before_anything_is_rendered() {
    let mut fleet = started();
    fleet.push_host("labels: {}\n");
    let heard = std::cell::RefCell::new(Vec::new());
    let (key, before) = (fleet.identity().key, fleet.manifest().serial);
    fleet
        .orchestrator
        .reconcile_and_tell(&|approved| {
            heard.borrow_mut().push((approved.allows(&key, &id()), approved.is_revoked(&key)))
        })
        .unwrap();
    assert_eq!(heard.into_inner(), [(false, true)]);
    assert!(!fleet.may_speak() && fleet.is_revoked());
    assert_eq!(fleet.manifest().serial, before, "nothing is published for it");
    let status = fleet.orchestrator.state().fleet().hosts[&id()].clone();
    assert!(status.facts.is_none() && !fleet.orchestrator.facts.has_reported(&id()), "what it said is forgotten");
    let entries = crate::audit::load_entries(&fleet.audit_log());
    assert!(entries.iter().any(|entry| (entry.code.as_str(), entry.hosts.as_str()) == ("Revoked", "web-1")));
    // The same key again, by a revert.
    fleet.push_host(&fleet.key_line());
    fleet.orchestrator.reconcile().unwrap();
    assert!(fleet.may_speak() && !fleet.is_revoked());
}

#[test]
fn a_fault_elsewhere_holds_no_key_and_gives_none() {
    let mut fleet = started();
    fleet.repo.write("environments/lab/environment.yaml", "resources: {files: {relative: {content: x}}}\n");
    fleet.push_host("labels: {}\n");
    fleet.orchestrator.reconcile().unwrap();
    assert!(!fleet.orchestrator.state().fleet().findings.is_empty());
    assert!(!fleet.may_speak() && fleet.is_revoked(), "the environment is held, the key is not");
    let other: PublicKey = KeyPair::generate_unencrypted_keypair().unwrap().pk.to_base64().parse().unwrap();
    fleet.push_host(&format!("key: \"{other}\"\n"));
    fleet.orchestrator.reconcile().unwrap();
    assert!(!fleet.orchestrator.approved_hosts().allows(&other, &id()), "no key by a revision that is not followed");
    fleet.push("mended");
    fleet.orchestrator.reconcile().unwrap();
    assert!(fleet.orchestrator.approved_hosts().allows(&other, &id()) && fleet.is_revoked());
}

#[test]
fn a_key_that_cannot_be_read_revokes_nobody() {
    for file in ["key: \"RWQ\"\n", "key: [1]\n", "{\n"] {
        let mut fleet = started();
        fleet.push_host(file);
        fleet.orchestrator.reconcile().unwrap();
        assert!(fleet.may_speak(), "{file}");
    }
}

#[test]
fn a_host_that_leaves_after_its_key_was_taken_back_does_not_get_it_again() {
    let mut fleet = started();
    fleet.push_host("labels: {}\n");
    fleet.orchestrator.reconcile().unwrap();
    std::fs::remove_file(fleet.repo.work().join(PATH)).unwrap();
    fleet.push("gone");
    fleet.orchestrator.reconcile().unwrap();
    assert!(fleet.orchestrator.state().fleet().hosts[&id()].retired.is_some());
    assert!(!fleet.may_speak() && fleet.is_revoked());
    // One that leaves with its key may say that it stopped.
    let mut fleet = started();
    std::fs::remove_file(fleet.repo.work().join(PATH)).unwrap();
    fleet.push("gone");
    fleet.orchestrator.reconcile().unwrap();
    assert!(fleet.may_speak() && fleet.orchestrator.approved_hosts().current(&fleet.identity().key).is_none());
}

#[tokio::test]
async fn after_a_restart_the_anchor_decides_and_not_an_older_status() {
    let mut fleet = started();
    fleet.commit_status().await;
    fleet.push_host("labels: {}\n");
    fleet.orchestrator.reconcile().unwrap();
    // Killed here: no status commit knows of it.
    let fleet = fleet.restart();
    assert!(!fleet.may_speak() && fleet.is_revoked(), "before anything was reconciled");
}

#[tokio::test]
async fn a_key_that_was_taken_back_is_remembered_by_the_status_branch() {
    let mut fleet = started();
    fleet.push_host("labels: {}\n");
    fleet.orchestrator.reconcile().unwrap();
    fleet.commit_status().await;
    let fleet = fleet.restart();
    assert!(!fleet.may_speak() && fleet.is_revoked());
}
