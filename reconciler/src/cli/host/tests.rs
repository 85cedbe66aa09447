#![allow(clippy::unwrap_used, clippy::disallowed_methods)]
mod bound;
mod branch;

use std::sync::Arc;

use clap::Parser;
use muster_schema::message::Announce;
use muster_schema::{PublicKey, Timestamp};

use super::super::Cli;
use crate::enrolment::test_announce::announce;
use crate::enrolment::test_token::machine_key;
use crate::state::SharedState;
use crate::status::{FleetStatus, HostStatus, Pending};
use crate::test_repository::TestRepository;

const DECLARED: &str = "# The first one.\nlabels: {role: web}\n";

/// A clone with an environment, a declared host and one more; user and key are set in it.
fn repository() -> TestRepository {
    let repo = TestRepository::new();
    repo.git(&["config", "user.name", "Alice"]);
    repo.git(&["config", "user.email", "alice@example.com"]);
    repo.write("environments/production/environment.yaml", "labels: {}\n");
    repo.write("environments/production/hosts/web-1.yaml", DECLARED);
    repo.write("environments/staging/environment.yaml", "labels: {}\n");
    repo.commit_as("alice", "hosts");
    repo.git(&["push", "-q", "origin", "main"]);
    repo
}

/// An orchestrator's API that tells of these pending hosts; gives its address.
fn serve(pending: &[(PublicKey, Announce)]) -> String {
    let mut fleet = FleetStatus::new("test".parse().unwrap());
    for (key, announce) in pending {
        fleet.pending.insert(*key, Pending { announce: announce.clone(), replaces: None, first_seen: Timestamp(1) });
    }
    fleet.hosts.insert("web-1".parse().unwrap(), HostStatus::default());
    serve_fleet(fleet)
}

fn serve_fleet(fleet: FleetStatus) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, crate::io::api::router(Arc::new(SharedState::new(fleet)))).await.unwrap();
        });
    });
    url
}

fn run(repo: &TestRepository, args: &[&str]) -> Result<(), String> {
    let work = repo.work();
    let common = ["--repo", work.to_str().unwrap()];
    let all = ["muster", "host"].iter().chain(args).chain(&common);
    let done = Cli::try_parse_from(all).unwrap().run();
    done.map(drop).map_err(|error| format!("{error:#}"))
}

fn pushed_text(repo: &TestRepository, path: &str) -> String {
    repo.git(&["fetch", "-q", "origin"]);
    repo.git(&["show", &format!("origin/main:{path}")])
}

fn check_signed(repo: &TestRepository) {
    let signers = repo.path().join("signers");
    std::fs::write(&signers, repo.signer_line("alice", "")).unwrap();
    repo.git(&["config", "gpg.ssh.allowedSignersFile", signers.to_str().unwrap()]);
    repo.git(&["verify-commit", "HEAD"]);
}

#[test]
fn a_declared_host_is_approved_by_a_signed_commit_that_is_pushed() {
    let (repo, key, said) = (repository(), machine_key(), announce("web-1"));
    let url = serve(&[(key, said.clone())]);
    run(&repo, &["approve", "web-1", "--server", &url, "--fingerprint", &key.fingerprint()]).unwrap();
    let path = "environments/production/hosts/web-1.yaml";
    let expected =
        format!("# The first one.\nkey: \"{key}\"\nrecipient: \"{}\"\nlabels: {{role: web}}", said.recipient);
    assert_eq!(pushed_text(&repo, path), expected);
    assert_eq!(std::fs::read_to_string(repo.work().join(path)).unwrap().trim_end(), expected, "the work tree too");
    check_signed(&repo);
    assert!(repo.git(&["log", "-1", "--format=%B%ae"]).contains("alice@example.com"));
    let head = repo.head();
    run(&repo, &["approve", "web-1", "--server", &url, "--yes"]).unwrap();
    assert_eq!(repo.head(), head, "again makes no commit");
}

#[test]
fn a_new_host_needs_its_environment_and_may_get_another_id() {
    let (repo, key) = (repository(), machine_key());
    let url = serve(&[(key, announce("debian"))]);
    let approve =
        |more: &[&str]| run(&repo, &[&["approve", "debian", "--server", &url, "--yes", "--id", "db-1"], more].concat());
    assert!(approve(&[]).unwrap_err().contains("--env"));
    let unknown = approve(&["--env", "prod"]).unwrap_err();
    assert!(unknown.contains("production, staging"), "{unknown}");
    approve(&["--env", "staging"]).unwrap();
    assert!(pushed_text(&repo, "environments/staging/hosts/db-1.yaml").contains(&key.to_string()));
    let twice = run(&repo, &["approve", "debian", "--server", &url, "--yes", "--id", "db-2", "--env", "staging"]);
    assert!(twice.unwrap_err().contains("db-1"), "one key is one host");
}

#[test]
fn of_two_that_claim_a_name_only_the_one_with_the_fingerprint_is_approved() {
    let (repo, real, squatter) = (repository(), machine_key(), machine_key());
    let url = serve(&[(squatter, announce("web-1")), (real, announce("web-1"))]);
    let head = repo.head();
    let refused = run(&repo, &["approve", "web-1", "--server", &url, "--yes"]).unwrap_err();
    assert!(refused.contains(&real.fingerprint()) && refused.contains(&squatter.fingerprint()), "{refused}");
    let wrong = machine_key().fingerprint();
    assert!(run(&repo, &["approve", "web-1", "--server", &url, "--fingerprint", &wrong]).is_err());
    assert_eq!(repo.head(), head);
    run(&repo, &["approve", "web-1", "--server", &url, "--fingerprint", &real.fingerprint()]).unwrap();
    let text = pushed_text(&repo, "environments/production/hosts/web-1.yaml");
    assert!(text.contains(&real.to_string()) && !text.contains(&squatter.to_string()));
    let over = run(&repo, &["approve", "web-1", "--server", &url, "--fingerprint", &squatter.fingerprint()]);
    assert!(over.unwrap_err().contains(&real.to_string()), "an approved key is never replaced");
}

#[test]
fn a_server_that_lies_writes_no_line_of_its_own_into_a_hosts_file() {
    let (repo, key) = (repository(), machine_key());
    let mut said = announce("web-1");
    said.recipient += "\"\nresources: {commands: {own: {argv: [id]}}}\n# \"";
    let (url, head) = (serve(&[(key, said)]), repo.head());
    let refused = run(&repo, &["approve", "web-1", "--server", &url, "--fingerprint", &key.fingerprint()]);
    assert!(refused.unwrap_err().contains("no X25519 recipient"));
    assert_eq!(repo.head(), head);
}

#[test]
fn nobody_is_approved_unasked_where_nobody_can_be_asked() {
    let (repo, key) = (repository(), machine_key());
    let url = serve(&[(key, announce("web-1"))]);
    let head = repo.head();
    assert!(run(&repo, &["approve", "web-1", "--server", &url]).unwrap_err().contains("--fingerprint"));
    assert!(run(&repo, &["approve", "web-9", "--server", &url, "--yes"]).unwrap_err().contains("web-9"));
    assert!(run(&repo, &["retire", "web-1"]).unwrap_err().contains("--yes"));
    assert_eq!(repo.head(), head);
}

#[test]
fn a_clone_that_is_behind_or_ahead_is_refused() {
    let (repo, key) = (repository(), machine_key());
    let url = serve(&[(key, announce("web-1"))]);
    let approve = || run(&repo, &["approve", "web-1", "--server", &url, "--yes"]).map_err(|error| error.to_string());
    let first = repo.head();
    repo.commit_as("alice", "theirs");
    assert!(approve().unwrap_err().contains("push or drop"));
    repo.git(&["push", "-q", "origin", "main"]);
    repo.git(&["reset", "-q", "--hard", &first.to_string()]);
    assert!(approve().unwrap_err().contains("git pull"));
    assert_eq!(repo.head(), first);
    repo.git(&["pull", "-q", "origin", "main"]);
    approve().unwrap();
}

#[test]
fn a_retired_host_loses_its_file() {
    let repo = repository();
    run(&repo, &["retire", "web-1", "--yes"]).unwrap();
    repo.git(&["fetch", "-q", "origin"]);
    assert!(!repo.git(&["ls-tree", "-r", "--name-only", "origin/main"]).contains("web-1"));
    assert!(!repo.work().join("environments/production/hosts/web-1.yaml").exists());
    check_signed(&repo);
    assert!(run(&repo, &["retire", "web-1", "--yes"]).unwrap_err().contains("no host"));
}

#[test]
fn a_revoked_host_loses_its_key_and_keeps_its_file() {
    let (repo, key) = (repository(), machine_key());
    let url = serve(&[(key, announce("web-1"))]);
    run(&repo, &["approve", "web-1", "--server", &url, "--yes"]).unwrap();
    assert!(run(&repo, &["revoke", "web-1"]).unwrap_err().contains("--yes"));
    run(&repo, &["revoke", "web-1", "--yes"]).unwrap();
    let path = "environments/production/hosts/web-1.yaml";
    let expected = DECLARED.replace("labels", &format!("revoked_keys: [\"{key}\"]\nlabels"));
    assert_eq!(pushed_text(&repo, path), expected.trim_end());
    check_signed(&repo);
    let head = repo.head();
    run(&repo, &["revoke", "web-1", "--yes", "--server", &url]).unwrap();
    assert_eq!(repo.head(), head, "again makes no commit");
    assert!(run(&repo, &["revoke", "web-9", "--yes"]).unwrap_err().contains("no host"));
}

#[test]
fn a_release_is_a_signed_commit_that_changes_nothing_else() {
    let repo = repository();
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    assert!(run(&repo, &["release", "web-1"]).unwrap_err().contains("--yes"));
    assert!(run(&repo, &["release", "web-9", "--yes"]).unwrap_err().contains("no host"));
    run(&repo, &["release", "web-1", "--yes"]).unwrap();
    check_signed(&repo);
    repo.git(&["fetch", "-q", "origin"]);
    assert_eq!(repo.git(&["rev-parse", "origin/main^{tree}"]), tree);
    assert!(repo.git(&["log", "-1", "--format=%B", "origin/main"]).contains("\nMuster-Release: web-1"));
}
