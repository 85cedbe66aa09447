//! Rules of `policy/access.yaml` over commits, by real git.

use git2::Oid;

use super::{assert_refused, verify};
use crate::test_repository::TestRepository;
use crate::verify::Rejection;

pub(super) const RULES: &str = r#"
rules:
  - {who: [alice@example.com], may: [all]}
  - {who: [ben@example.com], may: [write, merge], paths: ["web/**"]}
  - {who: [mallory@example.com], may: [write], paths: ["web/**"]}
  - {who: [forge@example.com], may: [merge]}
"#;

/// alice may do all, ben has web, mallory may only propose there, forge may only merge.
pub(super) fn fleet() -> (TestRepository, Oid) {
    let repo = TestRepository::new();
    let names = ["alice", "ben", "mallory", "forge", "stranger"];
    for name in ["ben", "forge", "stranger"] {
        repo.make_key(name, &["-t", "ed25519"]);
    }
    let lines: String = names.iter().map(|name| repo.signer_line(name, "")).collect();
    repo.write("policy/allowed_signers", &lines);
    repo.write("policy/access.yaml", RULES);
    repo.write("web/page", &"a line\n".repeat(20));
    repo.write("db/data", "1");
    repo.write("db/run", "#!/bin/sh\n");
    let anchor = repo.commit_as("alice", "rules");
    (repo, anchor)
}

/// Commits this on a new branch, and goes back to main.
pub(super) fn propose(repo: &TestRepository, who: &str, change: impl FnOnce()) -> Oid {
    repo.git(&["checkout", "-q", "-B", "side"]);
    change();
    let id = repo.commit_as(who, "proposed");
    repo.git(&["checkout", "-q", "main"]);
    id
}

#[track_caller]
pub(super) fn assert_not_allowed(repo: &TestRepository, anchor: Oid, head: Oid, culprit: Oid, says: &str) -> Rejection {
    let rejection = assert_refused(repo, anchor, head, culprit, "NotAllowed");
    assert!(rejection.to_string().contains(says), "{rejection}");
    // The next good update is taken.
    repo.git(&["reset", "-q", "--hard", &anchor.to_string()]);
    repo.write("db/data", "good");
    let good = repo.commit_as("alice", "good");
    assert_eq!(verify(repo, anchor, good).unwrap().id(), good);
    repo.git(&["reset", "-q", "--hard", &anchor.to_string()]);
    rejection
}

#[test]
fn a_signer_changes_what_a_rule_grants_and_nothing_else() {
    let (repo, anchor) = fleet();
    repo.write("web/page", "new");
    let head = repo.commit_as("ben", "own");
    assert_eq!(verify(&repo, anchor, head).unwrap().id(), head);

    repo.write("db/data", "2");
    repo.write("db/more", "2");
    let head = repo.commit_as("ben", "not own");
    let says = "ben@example.com may not write 'db/data' (nor 1 more paths)";
    let rejection = assert_not_allowed(&repo, anchor, head, head, says);
    assert!(rejection.to_string().contains("they have it for other paths by rule 2 (policy/access.yaml:4)"));
    let hint = rejection.hint().unwrap();
    assert!(hint.contains("- {who: [\"ben@example.com\"], may: [write], paths: [\"db/**\"]}"), "{hint}");

    repo.write("web/page", "by a stranger");
    let head = repo.commit_as("stranger", "listed, and without a rule");
    assert_not_allowed(&repo, anchor, head, head, "no rule is for them");
}

#[test]
fn a_merge_answers_for_what_it_adds() {
    let (repo, anchor) = fleet();
    propose(&repo, "mallory", || repo.write("web/page", "done"));
    repo.git(&["merge", "-q", "--no-ff", "--no-commit", "side"]);
    repo.write("db/data", "slipped in");
    let merge = repo.commit_as("forge", "merge");
    assert_not_allowed(&repo, anchor, merge, merge, "forge@example.com may not write 'db/data'");
}

#[test]
fn a_commit_without_changes_needs_a_right_on_the_mainline() {
    let (repo, anchor) = fleet();
    for who in ["mallory", "stranger"] {
        let head = repo.commit_as(who, "Muster-Confirm: all of it");
        assert_not_allowed(&repo, anchor, head, head, "may not merge anything");
    }
    let head = repo.commit_as("ben", "empty");
    assert!(verify(&repo, anchor, head).is_ok());
}
