//! Thresholds of `policy/access.yaml`, and approvals made by ssh-keygen.

use git2::Oid;
use muster_schema::FleetName;

use super::{FLEET, REFERENCE, Terms, assert_refused, receipt, terms, verify};
use crate::test_repository::TestRepository;
use crate::verify::{APPROVAL_NAMESPACE, ApprovalStatement, NothingRendered, Rejection, approval_reference};

const RULES: &str = r#"
rules:
  - {who: [mallory@example.com], may: [write, merge]}
  - {who: [alice@example.com, ben@example.com, carol@example.com], may: [all]}
approvals:
  - {paths: ["policy/**", "secrets/**"], needs: 2}
"#;

/// alice, ben and carol may do all, mallory approves nothing. dora is ben's second key.
fn fleet() -> (TestRepository, Oid) {
    let repo = TestRepository::new();
    for name in ["ben", "carol", "dora", "stranger"] {
        repo.make_key(name, &["-t", "ed25519"]);
    }
    let lines: String = ["alice", "ben", "carol", "mallory"].iter().map(|name| repo.signer_line(name, "")).collect();
    let second = format!("dora@example.com,ben@example.com {}\n", repo.public_key("dora"));
    repo.write("policy/allowed_signers", &(lines + &second));
    repo.write("policy/access.yaml", RULES);
    let anchor = repo.commit_as("alice", "rules");
    (repo, anchor)
}

/// A change of secrets by `who`, on a branch.
fn propose(repo: &TestRepository, who: &str) -> Oid {
    repo.git(&["checkout", "-q", "-B", "side"]);
    repo.write("secrets/token", who);
    let id = repo.commit_as(who, "a secret");
    repo.git(&["checkout", "-q", "main"]);
    id
}

fn store(repo: &TestRepository, who: &str, commit: Oid, line: &str, namespace: &str) {
    let bytes = format!("{line}{}", repo.sign(who, namespace, line.as_bytes()));
    let blob = repo.hash_object("blob", bytes.as_bytes()).to_string();
    let key = ssh_key::PublicKey::from_openssh(&repo.public_key(who)).unwrap();
    repo.git(&["update-ref", &approval_reference(commit, key.key_data()), &blob]);
}

fn statement(fleet: &str, reference: &str, commit: Oid) -> String {
    let fleet: FleetName = fleet.parse().unwrap();
    let terms = Terms { receipt: receipt(), fleet: &fleet, reference, effects: &NothingRendered };
    ApprovalStatement::new(commit, &terms).to_line().unwrap()
}

pub(super) fn approve(repo: &TestRepository, who: &str, commit: Oid) {
    store(repo, who, commit, &statement(FLEET, REFERENCE, commit), APPROVAL_NAMESPACE);
}

#[track_caller]
fn assert_missing(repo: &TestRepository, anchor: Oid, head: Oid, says: &str) -> Rejection {
    let rejection = assert_refused(repo, anchor, head, head, "ApprovalsMissing");
    assert!(rejection.to_string().contains(says), "{rejection}");
    rejection
}

#[test]
fn a_merge_passes_when_enough_others_approved_what_it_merges() {
    let (repo, anchor) = fleet();
    let change = propose(&repo, "mallory");
    let merge = repo.merge_as("mallory", "side");
    let says = format!(
        "'secrets/token' needs 2 approvals by policy/access.yaml:6 at {anchor}, and the merged commit {change} has 0"
    );
    let rejection = assert_missing(&repo, anchor, merge, &says);
    assert!(rejection.may_pass_later());
    assert!(rejection.hint().unwrap().contains("muster change approve"));
    approve(&repo, "ben", change);
    assert_missing(&repo, anchor, merge, "has 1");
    approve(&repo, "carol", change);
    assert_eq!(verify(&repo, anchor, merge).unwrap().id(), merge);

    // What nobody guards needs nobody.
    repo.git(&["reset", "-q", "--hard", &anchor.to_string()]);
    repo.write("file", "1");
    let head = repo.commit_as("mallory", "on main");
    assert!(verify(&repo, anchor, head).is_ok());
}

#[test]
fn what_is_committed_on_the_branch_itself_has_no_approvals() {
    let (repo, anchor) = fleet();
    repo.write("secrets/token", "1");
    let head = repo.commit_as("alice", "on main");
    let rejection = assert_missing(&repo, anchor, head, "a commit that merges no branch can have none");
    assert!(!rejection.may_pass_later());
    assert!(rejection.hint().unwrap().contains("on a branch of its own"));
    // Also when it is approved itself.
    for who in ["ben", "carol"] {
        approve(&repo, who, head);
    }
    assert_missing(&repo, anchor, head, "can have none");
}

#[test]
fn who_made_or_merged_the_change_does_not_count() {
    let (repo, anchor) = fleet();
    let change = propose(&repo, "alice");
    let merge = repo.merge_as("ben", "side");
    for who in ["alice", "ben", "carol"] {
        approve(&repo, who, change);
    }
    let rejection = assert_missing(&repo, anchor, merge, "has 1");
    assert!(rejection.to_string().contains("alice@example.com made the change"), "{rejection}");

    // Unless the policy says so.
    repo.git(&["reset", "-q", "--hard", &anchor.to_string()]);
    let rules = RULES.replace("needs: 2", "needs: 3, author_counts: true");
    let (repo, _) = fleet();
    repo.write("policy/access.yaml", &rules);
    let anchor = repo.commit_as("alice", "authors count");
    let change = propose(&repo, "alice");
    let merge = repo.merge_as("ben", "side");
    for who in ["alice", "ben", "carol"] {
        approve(&repo, who, change);
    }
    assert!(verify(&repo, anchor, merge).is_ok());
}

#[test]
fn one_person_with_two_keys_counts_once() {
    let (repo, anchor) = fleet();
    let change = propose(&repo, "mallory");
    let merge = repo.merge_as("mallory", "side");
    approve(&repo, "ben", change);
    approve(&repo, "dora", change);
    assert_missing(&repo, anchor, merge, "has 1");
    // Nor does the second key of who made the change.
    repo.git(&["reset", "-q", "--hard", &anchor.to_string()]);
    let change = propose(&repo, "ben");
    let merge = repo.merge_as("mallory", "side");
    approve(&repo, "dora", change);
    approve(&repo, "carol", change);
    assert_missing(&repo, anchor, merge, "dora@example.com,ben@example.com made the change");
}

#[test]
fn an_approval_is_for_one_commit_branch_and_fleet() {
    let (repo, anchor) = fleet();
    let change = propose(&repo, "mallory");
    let merge = repo.merge_as("mallory", "side");
    approve(&repo, "ben", change);
    let good = statement(FLEET, REFERENCE, change);
    let cases = [
        (statement("other", REFERENCE, change), APPROVAL_NAMESPACE, "it is for another fleet"),
        (statement(FLEET, "refs/heads/staging", change), APPROVAL_NAMESPACE, "it is for another branch"),
        (statement(FLEET, REFERENCE, anchor), APPROVAL_NAMESPACE, "it is for another commit"),
        (good.clone(), "git", "made for namespace 'git'"),
        (good.clone(), "muster-action", "made for namespace 'muster-action'"),
        (good.replace("\"approval\"", "\"action\""), APPROVAL_NAMESPACE, "it is no signed statement"),
        (good.replace("}\n", ",\"more\":1}\n"), APPROVAL_NAMESPACE, "it is no signed statement"),
        (good.replace('{', "{\"commit\":\"x\","), APPROVAL_NAMESPACE, "it is no signed statement"),
    ];
    for (line, namespace, says) in cases {
        store(&repo, "carol", change, &line, namespace);
        let rejection = assert_missing(&repo, anchor, merge, "has 1");
        assert!(rejection.to_string().contains(says), "{says}: {rejection}");
    }
    approve(&repo, "carol", change);
    assert!(verify(&repo, anchor, merge).is_ok());
}

#[test]
fn keys_that_may_not_approve_do_not_count() {
    let (repo, anchor) = fleet();
    let change = propose(&repo, "alice");
    let merge = repo.merge_as("alice", "side");
    approve(&repo, "ben", change);
    approve(&repo, "mallory", change);
    assert_missing(&repo, anchor, merge, "mallory@example.com may not approve it");
    approve(&repo, "stranger", change);
    assert_missing(&repo, anchor, merge, "has 1");
    // carol's signature under ben's name, and what is no blob of ours.
    let key = ssh_key::PublicKey::from_openssh(&repo.public_key("carol")).unwrap();
    let reference = approval_reference(change, key.key_data());
    for content in [&b""[..], b"no line", &[b'x'; 100_000]] {
        let blob = repo.hash_object("blob", content).to_string();
        repo.git(&["update-ref", &reference, &blob]);
        assert_missing(&repo, anchor, merge, "it is no signed statement");
    }
    repo.git(&["update-ref", &reference, &change.to_string()]);
    assert_missing(&repo, anchor, merge, "it is no signed statement");
}

#[test]
fn a_key_listed_for_commits_alone_and_a_revoked_one_approve_nothing() {
    let (repo, _) = fleet();
    let line = repo.signer_line("carol", "");
    let signers = repo.git(&["show", "HEAD:policy/allowed_signers"]) + "\n";
    let for_git = repo.signer_line("carol", "namespaces=\"git\"");
    repo.make_key("emil", &["-t", "ed25519"]);
    let emil = repo.signer_line("emil", "");
    repo.write("policy/allowed_signers", &(signers.replace(&line, &for_git) + &emil));
    repo.write("policy/access.yaml", &RULES.replace("carol@example.com]", "carol@example.com, emil@example.com]"));
    repo.write("policy/revoked_signers", &format!("{}\n", repo.public_key("dora")));
    let anchor = repo.commit_as("alice", "carol for git alone, dora revoked");
    let change = propose(&repo, "mallory");
    let merge = repo.merge_as("mallory", "side");
    for who in ["alice", "carol", "dora"] {
        approve(&repo, who, change);
    }
    let rejection = assert_missing(&repo, anchor, merge, "has 1");
    assert!(rejection.to_string().contains("not listed for the namespace muster-approval"), "{rejection}");
    assert!(rejection.to_string().contains("is revoked"), "{rejection}");
    approve(&repo, "emil", change);
    assert!(verify(&repo, anchor, merge).is_ok());
}

#[test]
fn a_new_push_needs_new_approvals_and_a_merge_adds_nothing_of_its_own() {
    let (repo, anchor) = fleet();
    let change = propose(&repo, "mallory");
    for who in ["ben", "carol"] {
        approve(&repo, who, change);
    }
    repo.git(&["checkout", "-q", "side"]);
    repo.write("secrets/token", "another");
    let newer = repo.commit_as("mallory", "slipped in");
    repo.git(&["checkout", "-q", "main"]);
    let merge = repo.merge_as("mallory", "side");
    assert_missing(&repo, anchor, merge, &format!("the merged commit {newer} has 0"));

    repo.git(&["reset", "-q", "--hard", &anchor.to_string()]);
    repo.git(&["merge", "-q", "--no-ff", "--no-commit", &change.to_string()]);
    repo.write("secrets/other", "slipped in");
    let merge = repo.commit_as("mallory", "merge");
    assert_missing(&repo, anchor, merge, "the merge changes 'secrets/other' itself");
}

#[test]
fn a_statement_is_one_line_of_json() {
    let (repo, _) = fleet();
    let commit = repo.head();
    let fleet: FleetName = FLEET.parse().unwrap();
    let line = ApprovalStatement::new(commit, &terms(&fleet)).to_line().unwrap();
    assert_eq!(
        line,
        format!("{{\"type\":\"approval\",\"fleet\":\"test\",\"ref\":\"refs/heads/main\",\"commit\":\"{commit}\"}}\n")
    );
}
