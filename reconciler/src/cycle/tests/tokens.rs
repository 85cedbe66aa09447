//! Machines that become hosts by enrolment tokens, with real git and a real status branch.

use muster_schema::message::{Announce, Receipt};

use super::*;
use crate::enrolment::test_token::{TestToken, machine_key};
use crate::status::Standing;

const RECIPIENT: &str = "age1machine";
const TOKEN: &str = "enrolment/tokens/one.yaml";
const FILE: &str = "environments/lab/hosts/web-2.yaml";

/// A fleet with web-2, which is no machine yet, and a token for it.
fn with_token() -> (Fleet, TestToken) {
    let (mut fleet, token) = (Fleet::start(), TestToken::new());
    fleet.repo.write(FILE, "labels: {role: web}\n");
    let now = clock::now();
    fleet.repo.write(TOKEN, &token.document("hosts: role=web", now, now.plus(Duration::from_secs(3600))));
    fleet.push("a token");
    fleet.orchestrator.reconcile().unwrap();
    fleet.rename("a");
    (fleet, token)
}

fn web_2() -> HostId {
    "web-2".parse().unwrap()
}

impl Fleet {
    /// What becomes of a machine that claims to be a host by the token.
    fn claim(&mut self, token: &TestToken, key: PublicKey) -> String {
        let claim = token.claim("test", &key, RECIPIENT, None);
        let facts = self.orchestrator.state().fleet().hosts[&id()].facts.as_ref().unwrap().body.facts.clone();
        let (name, recipient): (HostId, _) = ("new".parse().unwrap(), RECIPIENT.to_owned());
        let token = Some(claim.clone());
        let announce = Announce { name, recipient, agent: "0.1.0".into(), schema: 1, facts, replaces: None, token };
        let sender = HostIdentity { id: announce.name.clone(), key };
        match self.orchestrator.take_claim(&sender, &announce, &claim) {
            Body::Receipt(Receipt { code, .. }) => code,
            other => panic!("{other:?}"),
        }
    }

    /// Writes the status and waits until the remote has it.
    async fn keep_status(&mut self) {
        self.orchestrator.save_status().unwrap();
        loop {
            let saved = self.orchestrator.writer.saved.recv().await.unwrap();
            let done = matches!(saved, Saved::Pushed);
            self.orchestrator.take_saved(saved).unwrap();
            if done {
                return;
            }
        }
    }

    fn is_web_2(&self, key: &PublicKey) -> bool {
        self.orchestrator.approved_hosts().current(key).is_some_and(|host| host.id == web_2())
    }

    fn push_file(&mut self, path: &str, text: Option<&str>) {
        match text {
            Some(text) => self.repo.write(path, text),
            None => std::fs::remove_file(self.repo.work().join(path)).unwrap(),
        }
        self.repo.commit_as("alice", "a change");
        self.repo.git(&["push", "-q", "origin", "main"]);
        self.orchestrator.reconcile().unwrap();
    }
}

/// As [`with_token`], with a machine that is web-2.
async fn bound() -> (Fleet, TestToken, PublicKey) {
    let ((mut fleet, token), key) = (with_token(), machine_key());
    assert_eq!(fleet.claim(&token, key), "Pending");
    fleet.keep_status().await;
    assert!(fleet.orchestrator.take_bound() && !fleet.orchestrator.take_bound());
    fleet.orchestrator.reconcile().unwrap();
    assert!(fleet.is_web_2(&key));
    (fleet, token, key)
}

#[tokio::test]
async fn a_machine_is_the_host_once_that_is_kept_and_no_sooner() {
    let ((mut fleet, token), key) = (with_token(), machine_key());
    assert_eq!(fleet.claim(&token, key), "Pending");
    fleet.orchestrator.reconcile().unwrap();
    assert!(!fleet.is_web_2(&key), "it is in memory only");
    let second = machine_key();
    assert_eq!(fleet.claim(&token, second), "TokenUsed", "the first wins");
    fleet.keep_status().await;
    fleet.orchestrator.reconcile().unwrap();
    assert!(fleet.is_web_2(&key) && !fleet.is_web_2(&second));
    let approved = fleet.orchestrator.approved_hosts();
    assert_eq!(approved.current(&key).unwrap().recipient.as_deref(), Some(RECIPIENT));
    let state = fleet.orchestrator.state();
    let (status, name) =
        (state.fleet().hosts[&web_2()].clone(), state.fleet().token_of(&web_2()).map(|it| it.name.clone()));
    assert_eq!((status.key, name.as_deref()), (Some(key), Some("one")));
    let waits = status.hold.as_ref().map(|hold| hold.reason.as_str());
    assert_eq!(waits, Some("WaitingForFacts"), "it is rendered for, and is to speak first");
    drop(state);
    let entries = load_entries(&fleet.audit_log());
    let claimed = entries.iter().find(|entry| entry.code == "TokenClaimed").unwrap();
    assert_eq!((claimed.hosts.as_str(), claimed.who.contains(&key.fingerprint())), ("web-2", true));
}

#[tokio::test]
async fn a_claim_that_is_not_kept_is_forgotten_by_a_restart_and_can_be_made_again() {
    let ((mut fleet, token), key) = (with_token(), machine_key());
    assert_eq!(fleet.claim(&token, key), "Pending");
    let mut fleet = fleet.restart();
    fleet.orchestrator.reconcile().unwrap();
    assert!(!fleet.is_web_2(&key));
    fleet.rename("a");
    assert_eq!(fleet.claim(&token, machine_key()), "Pending");
}

#[tokio::test]
async fn who_is_a_host_by_a_token_stays_it_when_the_data_folder_is_lost() {
    let (mut fleet, token, key) = bound().await;
    fleet.keep_status().await;
    let data = fleet.repo.path().join("data");
    let Fleet { repo, orchestrator, pair, seq } = fleet;
    drop(orchestrator);
    std::fs::remove_dir_all(&data).unwrap();
    std::fs::create_dir(&data).unwrap();
    let orchestrator = start_orchestrator(&repo, None);
    let mut fleet = Fleet { repo, orchestrator, pair, seq };
    assert!(fleet.is_web_2(&key), "before the first reconcile");
    fleet.orchestrator.reconcile().unwrap();
    assert!(fleet.is_web_2(&key));
    fleet.rename("a");
    assert_eq!(fleet.claim(&token, machine_key()), "TokenUsed");
}

#[tokio::test]
async fn a_used_token_that_leaves_the_repository_unbinds_nobody_and_an_unused_one_is_none() {
    let (mut fleet, token, key) = bound().await;
    fleet.push_file(TOKEN, None);
    assert!(fleet.is_web_2(&key));
    fleet.keep_status().await;
    let mut fleet = fleet.restart();
    fleet.orchestrator.reconcile().unwrap();
    assert!(fleet.is_web_2(&key), "by the revision that had it");
    fleet.rename("a");
    assert_eq!(fleet.claim(&token, machine_key()), "TokenUsed");
    let (mut fleet, token) = with_token();
    fleet.push_file(TOKEN, None);
    assert_eq!(fleet.claim(&token, machine_key()), "TokenUnknown");
}

#[tokio::test]
async fn the_hosts_file_has_the_last_word() {
    let revoked = |key: &PublicKey| format!("labels: {{role: web}}\nrevoked_keys: [\"{key}\"]\n");
    // Taken back: at once, and for good.
    let (mut fleet, token, key) = bound().await;
    fleet.push_file(FILE, Some(&revoked(&key)));
    assert!(!fleet.is_web_2(&key) && fleet.orchestrator.approved_hosts().is_revoked(&key));
    fleet.push_file(FILE, Some("labels: {role: web}\n"));
    assert!(!fleet.is_web_2(&key), "it was ended");
    assert_eq!(fleet.claim(&token, machine_key()), "TokenUsed");
    // Another key in the file.
    let (mut fleet, _, key) = bound().await;
    let other = machine_key();
    fleet.push_file(FILE, Some(&format!("key: \"{other}\"\nlabels: {{role: web}}\n")));
    assert!(!fleet.is_web_2(&key) && fleet.is_web_2(&other));
    // The machine's own key in the file: from then on the file decides.
    let (mut fleet, _, key) = bound().await;
    let serial = fleet.orchestrator.state().fleet().hosts[&web_2()].desired.as_ref().map(|desired| desired.serial);
    fleet.push_file(FILE, Some(&format!("key: \"{key}\"\nlabels: {{role: web}}\n")));
    assert!(fleet.is_web_2(&key) && fleet.orchestrator.state().fleet().token_of(&web_2()).is_none());
    let after = fleet.orchestrator.state().fleet().hosts[&web_2()].desired.as_ref().map(|desired| desired.serial);
    assert_eq!(after, serial, "nothing new for it");
    fleet.push_file(FILE, Some("labels: {role: web}\n"));
    assert!(!fleet.is_web_2(&key));
}

#[tokio::test]
async fn a_key_in_the_file_of_a_held_environment_takes_the_host_from_nobody() {
    let (mut fleet, _, key) = bound().await;
    fleet.repo.write("environments/lab/hosts/broken.yaml", "nonsense: 1\n");
    fleet.push_file(FILE, Some(&format!("key: \"{key}\"\nlabels: {{role: web}}\n")));
    assert!(fleet.is_web_2(&key), "the revision is not assigned, and names it all the same");
    fleet.push_file(FILE, Some("labels: {role: web}\n"));
    assert!(!fleet.is_web_2(&key), "and takes it at once");
}

#[tokio::test]
async fn what_the_repository_does_not_bear_out_makes_nobody_a_host() {
    let changes: [fn(&mut crate::status::Binding); 4] = [
        |binding| binding.host = id(),
        |binding| binding.revision = "f".repeat(40).parse().unwrap(),
        |binding| binding.name = "another".into(),
        |binding| binding.environment = "elsewhere".into(),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let (mut fleet, token, key) = bound().await;
        {
            let state = fleet.orchestrator.state();
            let mut status = state.fleet_mut();
            let binding = status.bindings.get_mut(&token.key()).unwrap();
            change(binding);
            binding.standing = Standing::Unchecked;
        }
        fleet.orchestrator.reconcile().unwrap();
        let approved = fleet.orchestrator.approved_hosts();
        assert!(approved.current(&key).is_none(), "change {number}");
        assert_eq!(fleet.claim(&token, machine_key()), "TokenUsed", "change {number}");
    }
}
