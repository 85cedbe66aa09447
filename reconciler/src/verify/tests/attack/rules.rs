//! Rights that nobody gave: rules of `policy/access.yaml` that a push would get around.

use super::super::access::{RULES, assert_not_allowed, fleet, propose};
use super::super::{assert_refused, verify};
use crate::test_repository::TestRepository;

#[test]
fn a29_a_repository_without_rules_is_told_which_to_add() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    repo.git(&["rm", "-q", "policy/access.yaml"]);
    let head = repo.commit_as("alice", "no rules");
    let rejection = assert_refused(&repo, anchor, head, head, "PolicyMissing");
    assert!(rejection.to_string().contains("policy/access.yaml is missing"), "{rejection}");
    assert!(rejection.hint().unwrap().contains("rules: [{who: [YOUR_PRINCIPAL], may: [all]}]"));
    // What it says does.
    repo.write("policy/access.yaml", "rules: [{who: [alice@example.com], may: [all]}]");
    repo.git(&["add", "-A"]);
    repo.git(&["commit", "-q", "--amend", "-S", "-m", "rules"]);
    assert!(verify(&repo, anchor, repo.head()).is_ok());
}

#[test]
fn a30_a_commit_does_not_grant_itself_rights() {
    let (repo, anchor) = fleet();
    let more = RULES.replace("mallory@example.com], may: [write]", "mallory@example.com], may: [all]");
    repo.write("policy/access.yaml", &more);
    let head = repo.commit_as("mallory", "grant myself");
    assert_not_allowed(&repo, anchor, head, head, "may not write 'policy/access.yaml'");

    // Nor in a branch that somebody else merges.
    let own = propose(&repo, "mallory", || repo.write("policy/access.yaml", &more));
    let merge = repo.merge_as("alice", "side");
    assert_not_allowed(&repo, anchor, merge, own, "may not write 'policy/access.yaml'");

    // Nor does a grant of alice's count in the branch that brings it.
    repo.git(&["checkout", "-q", "-B", "side"]);
    repo.write("policy/access.yaml", &more.replace("may: [all], paths: [\"web/**\"]", "may: [all]"));
    repo.commit_as("alice", "grant");
    repo.write("db/data", "2");
    let own = repo.commit_as("mallory", "already acting on it");
    repo.git(&["checkout", "-q", "main"]);
    let merge = repo.merge_as("alice", "side");
    let granted = assert_refused(&repo, anchor, merge, own, "NotAllowed");
    assert_eq!(granted.commits.len(), 1);

    // From its merge on it does.
    repo.git(&["reset", "-q", "--hard", &anchor.to_string()]);
    repo.git(&["checkout", "-q", "-B", "side"]);
    repo.write("policy/access.yaml", "rules: [{who: [\"*\"], may: [all]}]\n");
    repo.commit_as("alice", "grant");
    repo.git(&["checkout", "-q", "main"]);
    repo.merge_as("alice", "side");
    repo.write("db/data", "2");
    let head = repo.commit_as("mallory", "now granted");
    assert!(verify(&repo, anchor, head).is_ok());
}

#[test]
fn a31_an_old_policy_does_not_come_back() {
    let (repo, old) = fleet();
    let stale = propose(&repo, "ben", || repo.write("web/page", "on the old policy"));
    repo.write(
        "policy/access.yaml",
        &RULES.replace("ben@example.com], may: [write, merge]", "ben@example.com], may: [write]"),
    );
    let anchor = repo.commit_as("alice", "ben merges no more");

    repo.write("policy/access.yaml", RULES);
    let head = repo.commit_as("ben", "as it was");
    assert_not_allowed(&repo, anchor, head, head, "may not write 'policy/access.yaml'");

    // A merge that keeps the old file: in ben's branch, which forked before.
    repo.git(&["checkout", "-q", "side"]);
    repo.git(&["config", "user.signingKey", repo.key("ben").to_str().unwrap()]);
    repo.git(&["merge", "-q", "--no-ff", "-S", "-s", "ours", "-m", "take main in", "main"]);
    let evil = repo.head();
    repo.git(&["checkout", "-q", "main"]);
    let merge = repo.merge_as("alice", "side");
    assert_not_allowed(&repo, anchor, merge, evil, "may not write 'policy/access.yaml'");

    // The branch itself is judged by the policy of now, and is still welcome.
    repo.git(&["branch", "-q", "-f", "side", &stale.to_string()]);
    let merge = repo.merge_as("alice", "side");
    assert!(verify(&repo, anchor, merge).is_ok());
    assert!(verify(&repo, old, merge).is_ok());
    let merge = {
        repo.git(&["reset", "-q", "--hard", &anchor.to_string()]);
        repo.merge_as("ben", "side")
    };
    assert_not_allowed(&repo, anchor, merge, merge, "may not merge 'web/page'");
}

#[test]
fn a32_renames_and_modes_are_changes_of_each_path() {
    let (repo, anchor) = fleet();
    repo.git(&["mv", "db/data", "web/data"]);
    let head = repo.commit_as("ben", "take");
    assert_not_allowed(&repo, anchor, head, head, "may not write 'db/data'");
    repo.git(&["mv", "web/page", "db/page"]);
    let head = repo.commit_as("ben", "give");
    assert_not_allowed(&repo, anchor, head, head, "may not write 'db/page'");
    repo.git(&["update-index", "--chmod=+x", "db/run"]);
    repo.git(&["config", "user.signingKey", repo.key("ben").to_str().unwrap()]);
    repo.git(&["commit", "-q", "-S", "-m", "mode"]);
    let head = repo.head();
    assert_not_allowed(&repo, anchor, head, head, "may not write 'db/run'");
    repo.git(&["rm", "-q", "-r", "db"]);
    repo.write("db", "a file now");
    let head = repo.commit_as("ben", "a file in the folder's place");
    assert_not_allowed(&repo, anchor, head, head, "may not write 'db' (nor 2 more paths)");
}

#[test]
fn a32_a_change_that_follows_a_rename_is_the_mergers() {
    let (repo, old) = fleet();
    let edit = format!("by mallory\n{}", "a line\n".repeat(20));
    propose(&repo, "mallory", || repo.write("web/page", &edit));
    repo.git(&["mv", "web/page", "db/page"]);
    let anchor = repo.commit_as("alice", "move it to db");
    let merge = repo.merge_as("forge", "side");
    assert_eq!(repo.git(&["show", "HEAD:db/page"]).lines().next(), Some("by mallory"), "git follows the rename");
    assert_not_allowed(&repo, anchor, merge, merge, "forge@example.com may not write 'db/page'");
    let merge = repo.merge_as("alice", "side");
    assert!(verify(&repo, old, merge).is_ok());
}

#[test]
fn a34_signed_work_in_progress_is_not_put_on_main_without_the_right() {
    let (repo, anchor) = fleet();
    repo.write("web/page", "half done");
    let head = repo.commit_as("mallory", "work in progress");
    let rejection = assert_not_allowed(&repo, anchor, head, head, "mallory@example.com may not merge 'web/page'");
    assert!(rejection.to_string().contains("they have other rights by rule 3"), "{rejection}");

    propose(&repo, "mallory", || repo.write("web/page", "done"));
    for who in ["ben", "forge", "alice"] {
        let merge = repo.merge_as(who, "side");
        assert_eq!(verify(&repo, anchor, merge).unwrap().id(), merge, "{who}");
        repo.git(&["reset", "-q", "--hard", &anchor.to_string()]);
    }
    let merge = repo.merge_as("mallory", "side");
    assert_not_allowed(&repo, anchor, merge, merge, "may not merge 'web/page'");
}
