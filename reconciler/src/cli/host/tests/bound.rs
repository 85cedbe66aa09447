//! Machines that are hosts by tokens: what the orchestrator says of them is checked in the clone.

use super::*;
use crate::enrolment::test_token::{TestToken, machine_key};
use crate::status::{Binding, Standing};

const FILE: &str = "environments/production/hosts/web-1.yaml";
const TOKEN: &str = "enrolment/tokens/one.yaml";
const NOW: Timestamp = Timestamp(1_780_000_000_000);

/// What a dishonest orchestrator changes.
type Change = fn(&mut Binding, &TestToken);

/// What is wrong with what it says then.
const LIES: [(&str, Change); 7] = [
    ("did not sign", |binding, _| binding.key = machine_key()),
    ("did not sign", |binding, _| binding.recipient = age::x25519::Identity::generate().to_public().to_string()),
    ("did not sign", |binding, token| binding.claim = token.claim("other", &binding.key, &binding.recipient, None)),
    ("no token", |binding, _| {
        let foreign = TestToken::new();
        binding.claim = foreign.claim("test", &binding.key, &binding.recipient, None);
    }),
    ("to be 'db-1'", |binding, token| {
        binding.claim = token.claim("test", &binding.key, &binding.recipient, Some("db-1"));
    }),
    ("not in the history", |binding, _| binding.revision = "f".repeat(40).parse().unwrap()),
    ("counted from", |binding, _| binding.at = NOW.plus(std::time::Duration::from_secs(3600))),
];

/// A clone with a token for web-1, and what an honest orchestrator says of the machine that used it.
fn used_token() -> (TestRepository, TestToken, Binding) {
    let (repo, token, key) = (repository(), TestToken::new(), machine_key());
    repo.write(TOKEN, &token.document("hosts: role=web", NOW, NOW.plus(std::time::Duration::from_secs(3600))));
    repo.commit_as("alice", "a token");
    repo.git(&["push", "-q", "origin", "main"]);
    let recipient = age::x25519::Identity::generate().to_public().to_string();
    let claim = token.claim("test", &key, &recipient, None);
    let binding = Binding {
        name: "one".into(),
        revision: repo.head().to_string().parse().unwrap(),
        expires: NOW.plus(std::time::Duration::from_secs(3600)),
        host: "web-1".parse().unwrap(),
        environment: "production".into(),
        key,
        recipient,
        claim,
        at: NOW,
        confirmed: false,
        ended: None,
        standing: Standing::Counts,
    };
    (repo, token, binding)
}

/// An orchestrator that tells of this binding.
fn serve_binding(binding: Binding) -> String {
    let mut fleet = FleetStatus::new("test".parse().unwrap());
    let host = HostStatus { key: Some(binding.key), ..HostStatus::default() };
    fleet.hosts.insert(binding.host.clone(), host);
    fleet.bindings.insert(binding.claim.token, binding);
    serve_fleet(fleet)
}

fn approve(repo: &TestRepository, binding: Binding) -> Result<(), String> {
    run(repo, &["approve", "web-1", "--server", &serve_binding(binding)])
}

fn revoke(repo: &TestRepository, binding: Binding) -> Result<(), String> {
    run(repo, &["revoke", "web-1", "--yes", "--server", &serve_binding(binding)])
}

#[test]
fn the_key_of_a_machine_that_used_a_token_gets_into_the_hosts_file_without_a_question() {
    let (repo, _, binding) = used_token();
    approve(&repo, binding.clone()).unwrap();
    let text = pushed_text(&repo, FILE);
    assert!(text.contains(&binding.key.to_string()) && text.contains(&binding.recipient), "{text}");
    check_signed(&repo);
    assert!(repo.git(&["log", "-1", "--format=%B"]).contains("by the token one"));
    let head = repo.head();
    approve(&repo, binding).unwrap();
    assert_eq!(repo.head(), head, "again makes no commit");
}

#[test]
fn what_the_clone_does_not_bear_out_gets_into_no_file() {
    let (repo, token, binding) = used_token();
    let head = repo.head();
    for (reason, change) in LIES {
        let mut binding = binding.clone();
        change(&mut binding, &token);
        let approved = approve(&repo, binding.clone()).unwrap_err();
        assert!(approved.contains(reason), "{reason}: {approved}");
        let revoked = revoke(&repo, binding).unwrap_err();
        assert!(revoked.contains(reason) && revoked.contains("revoked_keys"), "{reason}: {revoked}");
        assert_eq!(repo.head(), head, "{reason}");
    }
}

#[test]
fn the_key_of_a_machine_that_used_a_token_is_taken_back_in_the_hosts_file() {
    let (repo, _, binding) = used_token();
    let key = binding.key;
    revoke(&repo, binding).unwrap();
    assert!(pushed_text(&repo, FILE).contains(&format!("revoked_keys: [\"{key}\"]")));
    check_signed(&repo);
}

#[test]
fn a_token_does_not_give_a_host_that_it_does_not_select_nor_one_that_took_the_key_back() {
    let (repo, _, mut binding) = used_token();
    repo.write(FILE, &format!("{DECLARED}revoked_keys: [\"{}\"]\n", binding.key));
    repo.commit_as("alice", "the key is taken back");
    repo.git(&["push", "-q", "origin", "main"]);
    assert!(approve(&repo, binding.clone()).unwrap_err().contains("takes this key back"));
    repo.write(FILE, "labels: {role: db}\n");
    repo.commit_as("alice", "another role");
    repo.git(&["push", "-q", "origin", "main"]);
    binding.revision = repo.head().to_string().parse().unwrap();
    assert!(approve(&repo, binding).unwrap_err().contains("does not give the host"));
}

#[test]
fn a_token_that_only_a_merged_branch_had_gives_no_host() {
    let (repo, token, mut binding) = used_token();
    repo.git(&["rm", "-q", TOKEN]);
    repo.commit_as("alice", "the token is taken back");
    repo.git(&["checkout", "-q", "-b", "side"]);
    let (until, path) = (NOW.plus(std::time::Duration::from_secs(3600)), "enrolment/tokens/two.yaml");
    repo.write(path, &token.document("hosts: role=web", NOW, until));
    binding.revision = repo.commit_as("alice", "a token beside").to_string().parse().unwrap();
    binding.name = "two".to_owned();
    repo.git(&["rm", "-q", path]);
    repo.commit_as("alice", "and gone");
    repo.git(&["checkout", "-q", "main"]);
    repo.merge_as("alice", "side");
    repo.git(&["push", "-q", "origin", "main"]);
    let head = repo.head();
    let refused = approve(&repo, binding).unwrap_err();
    assert!(refused.contains("never the newest one of the watched branch"), "{refused}");
    assert_eq!(repo.head(), head);
}

#[test]
fn a_token_of_before_does_not_give_a_host_again_that_was_revoked() {
    let (repo, token, binding) = used_token();
    revoke(&repo, binding.clone()).unwrap();
    let head = repo.head();
    // A server that lies, and somebody who kept the token.
    let key = machine_key();
    let claim = token.claim("test", &key, &binding.recipient, None);
    let refused = approve(&repo, Binding { key, claim, ..binding }).unwrap_err();
    assert!(refused.contains("another machine since"), "{refused}");
    assert_eq!(repo.head(), head);
}
