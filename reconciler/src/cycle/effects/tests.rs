//! Bounds of rules over what commits bring about, by real git and real renders.
#![allow(clippy::unwrap_used)]

mod attack;
mod merges;

use git2::Oid;
use muster_schema::Timestamp;

use super::FleetRenders;
use crate::render::FactsOfFleet;
use crate::render::tests::debian;
use crate::test_repository::TestRepository;
use crate::verify::{Rejection, Terms, VerifiedRevision, verify_commits};

const RULES: &str = r#"
rules:
  - {who: [alice@example.com], may: [all]}
  - who: [ana@example.com]
    may: [write, merge]
    paths: ["applications/web/**", "environments/lab/**", "profiles/web.yaml", "secrets/**", "policy/**"]
    hosts: role=web
  - {who: [ana@example.com], may: [write, merge], paths: ["docs/**"]}
  - {who: [ben@example.com], may: [write, merge], paths: ["applications/**"], collections: [files]}
  - {who: [mona@example.com], may: [merge], hosts: role=web}
  - {who: [zoe@example.com], may: [merge]}
  - {who: [zoe@example.com], may: [write], paths: ["environments/lab/**"], hosts: role=web}
"#;

const WEB: &str = "resources:\n  files: {/etc/web: {content: \"{{ settings.page }}\"}}\n";

/// A fleet of two teams: ana's things are on web-1, and db-1 is not hers. The first commit with it.
fn teams() -> (TestRepository, Oid) {
    let repo = TestRepository::new();
    for name in ["ana", "ben", "mona", "zoe"] {
        repo.make_key(name, &["-t", "ed25519"]);
    }
    let lines: String = ["alice", "ana", "ben", "mona", "zoe"].iter().map(|name| repo.signer_line(name, "")).collect();
    repo.write("policy/allowed_signers", &lines);
    repo.write("policy/access.yaml", RULES);
    for (path, text) in [
        ("applications/web/application.yaml", WEB),
        ("applications/db/application.yaml", "resources:\n  files: {/etc/db: {content: \"{{ settings.data }}\"}}\n"),
        ("profiles/web.yaml", "hosts: role=web\napplications: {web: {}}\n"),
        ("profiles/db.yaml", "hosts: role=db\napplications: {db: {}}\n"),
        ("environments/lab/environment.yaml", "settings: {page: one, data: one}\n"),
        ("environments/lab/hosts/web-1.yaml", "labels: {role: web}\n"),
        ("environments/lab/hosts/db-1.yaml", "labels: {role: db}\n"),
        ("docs/notes", "none\n"),
    ] {
        repo.write(path, text);
    }
    let anchor = repo.commit_as("alice", "two teams");
    (repo, anchor)
}

fn verify_by(
    repo: &TestRepository,
    anchor: Oid,
    offered: Oid,
    facts: &FactsOfFleet,
) -> Result<VerifiedRevision, Rejection> {
    let fleet = "test".parse().unwrap();
    let renders = FleetRenders::of(repo.work());
    let effects = renders.by(facts);
    let receipt = Timestamp(1_780_000_000_000);
    let terms = Terms { receipt, fleet: &fleet, reference: "refs/heads/main", effects: &effects };
    verify_commits(&repo.open(), anchor, offered, &terms)
}

fn verify(repo: &TestRepository, anchor: Oid, offered: Oid) -> Result<VerifiedRevision, Rejection> {
    verify_by(repo, anchor, offered, &FactsOfFleet::default())
}

fn reset(repo: &TestRepository, to: Oid) {
    repo.git(&["reset", "-q", "--hard", &to.to_string()]);
    repo.git(&["clean", "-q", "-d", "-f"]);
}

/// Commits what `change` writes, and gives what is told of it; the clone is at `anchor` again after that.
#[track_caller]
fn told_of(repo: &TestRepository, anchor: Oid, who: &str, change: impl FnOnce(&TestRepository)) -> String {
    change(repo);
    let head = repo.commit_as(who, "a change");
    let told = match verify(repo, anchor, head) {
        Ok(_) => "accepted".to_owned(),
        Err(rejection) => {
            assert_eq!(rejection.commits[0].id, head);
            format!("{}: {rejection}", rejection.code())
        }
    };
    reset(repo, anchor);
    told
}

#[test]
fn what_stays_within_the_bounds_is_accepted() {
    let (repo, anchor) = teams();
    let told = |who, change: &dyn Fn(&TestRepository)| told_of(&repo, anchor, who, change);
    let cases: [(&str, &str, &str); 9] = [
        ("ana", "applications/web/application.yaml", "resources:\n  users: {web: {}}\n"),
        ("ana", "applications/web/files/unused", "of no effect\n"),
        ("ana", "environments/lab/environment.yaml", "settings: {page: two, data: one}\n"),
        ("ana", "environments/lab/hosts/web-2.yaml", "labels: {role: web}\n"),
        ("ana", "environments/lab/hosts/web-1.yaml", "labels: {role: web, tier: front}\n"),
        ("ana", "profiles/web.yaml", "hosts: role=web,tier=front\napplications: {web: {}}\n"),
        ("ben", "applications/db/application.yaml", "resources:\n  files: {/etc/other: {content: x}}\n"),
        ("ana", "docs/notes", "some\n"),
        ("alice", "applications/web/application.yaml", "resources: {}\n"),
    ];
    for (who, path, text) in cases {
        assert_eq!(told(who, &|repo| repo.write(path, text)), "accepted", "{who} {path}");
    }
    let beside = |repo: &TestRepository| {
        repo.write("docs/notes", "of the change\n");
        repo.write("applications/web/application.yaml", "resources: {}\n");
    };
    assert_eq!(told("ana", &beside), "accepted", "a rule without bounds stands beside");
    repo.git(&["rm", "-q", "environments/lab/hosts/web-1.yaml"]);
    let head = repo.commit_as("ana", "retire her own host");
    assert!(verify(&repo, anchor, head).is_ok());
}

#[test]
fn a_host_that_waits_is_reached_by_what_it_could_read() {
    let (repo, anchor) = teams();
    let waits = "resources:\n  files: {/etc/db: {content: \"{{ facts.hostname }} {{ settings.data }}\"}}\n";
    repo.write("applications/db/application.yaml", waits);
    let anchor_of_waiting = repo.commit_as("alice", "db-1 waits");
    assert!(verify(&repo, anchor, anchor_of_waiting).is_ok());
    let anchor = anchor_of_waiting;
    let told = told_of(&repo, anchor, "ana", |repo| repo.write("applications/web/application.yaml", "resources: {}\n"));
    assert_eq!(told, "accepted", "db-1 does not have it");
    let edit =
        |repo: &TestRepository| repo.write("environments/lab/environment.yaml", "settings: {page: 2, data: 1}\n");
    let told = told_of(&repo, anchor, "ana", edit);
    assert!(told.starts_with("EffectNotAllowed: ") && told.contains("what db-1 will have"), "{told}");

    // Once it has reported it is known that nothing of it changes.
    let facts: FactsOfFleet = [("db-1".parse().unwrap(), debian("10.0.0.2"))].into_iter().collect();
    repo.write("environments/lab/environment.yaml", "settings: {page: two, data: one}\n");
    let head = repo.commit_as("ana", "another page");
    assert!(verify_by(&repo, anchor, head, &facts).is_ok());
}

#[test]
fn who_has_bounds_brings_no_fault() {
    let (repo, anchor) = teams();
    let fault = |repo: &TestRepository| repo.write("applications/web/application.yaml", "resources: {fils: {}}\n");
    let told = told_of(&repo, anchor, "ana", fault);
    let says = "EffectUnknown: ";
    assert!(told.starts_with(says) && told.contains("applications/web/application.yaml:1:13: "), "{told}");
    // What was there before stands in nobody's way, on hosts that the change does not reach.
    repo.write("applications/db/application.yaml", "resources: {fils: {}}\n");
    let faulty = repo.commit_as("alice", "a fault");
    let told = told_of(&repo, faulty, "ana", |repo| repo.write("applications/web/application.yaml", "resources: {}\n"));
    assert_eq!(told, "accepted");
    let told = told_of(&repo, faulty, "ben", |repo| repo.write("applications/db/application.yaml", "resources: {}\n"));
    assert!(told.starts_with("EffectNotAllowed: ") && told.contains("what db-1 will have"), "{told}");
}
