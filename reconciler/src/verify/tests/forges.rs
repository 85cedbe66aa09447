//! A forge's key counts on clean merges alone, by the rights of those whose commits they bring.

use git2::Oid;

use super::access::propose;
use super::approvals::approve;
use super::{assert_refused, verify};
use crate::test_repository::TestRepository;
use crate::verify::Rejection;

const RULES: &str = r#"
forge: ["*@forge.example.com"]
rules:
  - {who: [alice@example.com], may: [all]}
  - {who: [ben@example.com], may: [write, merge], paths: ["web/**"]}
  - {who: [mallory@example.com], may: [write, approve], paths: ["web/**"]}
  - {who: ["*"], may: [all], paths: ["for-everybody/**"]}
"#;

/// alice may do all, ben has web, mallory may only propose there, and forge is one.
fn fleet(rules: &str) -> (TestRepository, Oid) {
    let repo = TestRepository::new();
    for name in ["ben", "forge"] {
        repo.make_key(name, &["-t", "ed25519"]);
    }
    let lines: String = ["alice", "ben", "mallory"].iter().map(|name| repo.signer_line(name, "")).collect();
    repo.write("policy/allowed_signers", &format!("{lines}bot@forge.example.com {}\n", repo.public_key("forge")));
    repo.write("policy/access.yaml", rules);
    repo.write("web/page", &"a line\n".repeat(20));
    repo.write("db/data", "1");
    let anchor = repo.commit_as("alice", "rules");
    (repo, anchor)
}

fn page(repo: &TestRepository) -> impl FnOnce() + '_ {
    || repo.write("web/page", "new")
}

#[track_caller]
fn assert_passes(repo: &TestRepository, anchor: Oid, head: Oid) {
    assert_eq!(verify(repo, anchor, head).unwrap().id(), head);
}

#[track_caller]
fn assert_not_clean(repo: &TestRepository, anchor: Oid, culprit: Oid, says: &str) {
    let rejection = assert_refused(repo, anchor, repo.head(), culprit, "ForgeNotCleanMerge");
    assert!(rejection.to_string().contains(says), "{rejection}");
    let hint = rejection.hint().unwrap();
    assert!(hint.contains("turn off squash") && hint.contains("muster change merge"), "{hint}");
    assert!(!rejection.may_pass_later());
    repo.git(&["reset", "-q", "--hard", &anchor.to_string()]);
}

#[track_caller]
fn assert_no_right(repo: &TestRepository, anchor: Oid, merge: Oid, says: &str) -> Rejection {
    let rejection = assert_refused(repo, anchor, merge, merge, "ForgeMergeNotAllowed");
    assert!(rejection.to_string().contains(says), "{rejection}");
    assert!(rejection.may_pass_later());
    rejection
}

#[test]
fn a_clean_merge_passes_by_the_right_of_who_signed_the_branch() {
    let (repo, anchor) = fleet(RULES);
    propose(&repo, "ben", page(&repo));
    let merge = repo.merge_as("forge", "side");
    assert_passes(&repo, anchor, merge);
    let revision = verify(&repo, anchor, merge).unwrap();
    assert!(revision.commits().iter().all(|commit| commit.by_forge == (commit.id == merge)));
    assert_eq!(revision.messages().count(), 0, "a forge's message has no trailers");

    // Both sides moved, so that git merges files.
    repo.git(&["reset", "-q", "--hard", &anchor.to_string()]);
    repo.write("db/data", "2");
    repo.commit_as("alice", "meanwhile");
    let merge = repo.merge_as("forge", "side");
    assert_passes(&repo, anchor, merge);
    // Also where main is the second parent.
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    repo.git(&["checkout", "-q", "side"]);
    let pulled = repo.merge_as("forge", "main");
    assert_passes(&repo, repo.git(&["rev-parse", "main"]).parse().unwrap(), pulled);
}

#[test]
fn what_is_no_clean_merge_is_refused() {
    let (repo, anchor) = fleet(RULES);
    let side = propose(&repo, "alice", page(&repo));

    repo.git(&["merge", "-q", "--squash", "side"]);
    let squash = repo.commit_as("forge", "squashed");
    assert_not_clean(&repo, anchor, squash, "signed by the forge bot@forge.example.com, whose key counts on a clean");

    repo.write("web/page", "by a click");
    let edit = repo.commit_as("forge", "edited");
    assert_not_clean(&repo, anchor, edit, "it merges nothing");
    // Nor where a rule is for everybody.
    repo.write("for-everybody/file", "1");
    let edit = repo.commit_as("forge", "edited");
    assert_not_clean(&repo, anchor, edit, "it merges nothing");
    let empty = repo.commit_as("forge", "empty");
    assert_not_clean(&repo, anchor, empty, "it merges nothing");

    repo.git(&["merge", "-q", "--no-ff", "--no-commit", "side"]);
    repo.write("for-everybody/file", "slipped in");
    let evil = repo.commit_as("forge", "merge");
    assert_not_clean(&repo, anchor, evil, "it changes 'for-everybody/file'");

    repo.git(&["branch", "other", "main"]);
    repo.git(&["checkout", "-q", "other"]);
    repo.write("db/data", "3");
    repo.commit_as("alice", "another");
    repo.git(&["checkout", "-q", "main"]);
    repo.write("db/more", "1");
    repo.commit_as("alice", "main goes on");
    let key = repo.key("forge");
    repo.git(&["config", "user.signingKey", key.to_str().unwrap()]);
    repo.git(&["merge", "-q", "--no-ff", "-S", "-m", "octopus", "side", "other"]);
    assert_not_clean(&repo, anchor, repo.head(), "it has 3 parents");

    // A merge that brings nothing may still say something.
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let first = repo.git(&["rev-parse", "HEAD~1"]).parse().unwrap();
    let nothing = repo.store_signed("forge", "git", &repo.raw_commit(&tree, &[anchor, first], "", "Muster-Confirm: x"));
    repo.git(&["reset", "-q", "--hard", &nothing.to_string()]);
    assert_not_clean(&repo, anchor, nothing, "it brings no commit that somebody signed");
    // Nor does a merge of a merge that brings nothing.
    let around = repo.raw_commit(&tree, &[anchor, nothing], "", "Muster-Confirm: x");
    let around = repo.store_signed("forge", "git", &around);
    repo.git(&["reset", "-q", "--hard", &around.to_string()]);
    assert_not_clean(&repo, anchor, around, "it brings no commit that somebody signed");

    // A commit of a branch that a person merges.
    repo.git(&["checkout", "-q", "side"]);
    repo.write("web/page", "by a click");
    let edit = repo.commit_as("forge", "suggested by a reviewer");
    repo.git(&["checkout", "-q", "main"]);
    repo.merge_as("alice", "side");
    assert_not_clean(&repo, anchor, edit, "it merges nothing");

    repo.git(&["branch", "-q", "-f", "side", &side.to_string()]);
    let merge = repo.merge_as("forge", "side");
    assert_passes(&repo, anchor, merge);
}

#[test]
fn without_the_right_to_merge_an_approval_by_somebody_with_it_is_needed() {
    let (repo, anchor) = fleet(RULES);
    let change = propose(&repo, "mallory", page(&repo));
    let merge = repo.merge_as("forge", "side");
    let says = format!(
        "neither mallory@example.com, who signed its newest commit, nor anybody who approved {change} may merge 'web/page'"
    );
    let rejection = assert_no_right(&repo, anchor, merge, &says);
    assert!(rejection.hint().unwrap().contains("muster change approve"));
    // Approvals by the forge, and by somebody without the right.
    for who in ["forge", "mallory"] {
        approve(&repo, who, change);
        assert_no_right(&repo, anchor, merge, "may merge 'web/page'");
    }
    approve(&repo, "ben", change);
    assert_passes(&repo, anchor, merge);

    // On all paths that it brings.
    repo.git(&["reset", "-q", "--hard", &anchor.to_string()]);
    propose(&repo, "alice", || repo.write("db/data", "2"));
    repo.git(&["checkout", "-q", "side"]);
    repo.write("web/page", "after alice");
    let newest = repo.commit_as("ben", "on top");
    repo.git(&["checkout", "-q", "main"]);
    let merge = repo.merge_as("forge", "side");
    assert_no_right(&repo, anchor, merge, "may merge 'db/data'");
    approve(&repo, "alice", newest);
    assert_passes(&repo, anchor, merge);
}

#[test]
fn a_right_below_a_strangers_commit_is_none_for_it() {
    let (repo, anchor) = fleet(RULES);
    propose(&repo, "alice", || repo.write("web/page", "unfinished"));
    repo.git(&["checkout", "-q", "side"]);
    repo.write("web/page", "by mallory");
    repo.commit_as("mallory", "on top of alice's");
    repo.git(&["checkout", "-q", "main"]);
    let merge = repo.merge_as("forge", "side");
    assert_no_right(&repo, anchor, merge, "neither mallory@example.com");
}

#[test]
fn a_side_commit_needs_its_own_right_to_write() {
    let (repo, anchor) = fleet(RULES);
    let change = propose(&repo, "ben", || repo.write("db/data", "2"));
    let merge = repo.merge_as("forge", "side");
    let rejection = assert_refused(&repo, anchor, merge, change, "NotAllowed");
    assert!(rejection.to_string().contains("ben@example.com may not write 'db/data'"), "{rejection}");
}

#[test]
fn a_branch_may_be_updated_by_the_forge() {
    let (repo, anchor) = fleet(RULES);
    propose(&repo, "ben", page(&repo));
    repo.write("db/data", "2");
    repo.commit_as("alice", "meanwhile");
    repo.git(&["checkout", "-q", "side"]);
    let updated = repo.merge_as("forge", "main");
    repo.git(&["checkout", "-q", "main"]);
    let merge = repo.merge_as("forge", "side");
    assert_passes(&repo, anchor, merge);

    // mallory's, which alice did not sign for.
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    repo.git(&["checkout", "-q", "-b", "strange", &anchor.to_string()]);
    repo.write("web/other", "1");
    repo.commit_as("mallory", "another");
    repo.git(&["checkout", "-q", "side"]);
    let both = repo.merge_as("forge", "strange");
    assert_ne!(both, updated);
    repo.git(&["checkout", "-q", "main"]);
    let merge = repo.merge_as("forge", "side");
    assert_no_right(&repo, anchor, merge, "neither ben@example.com and mallory@example.com");
}

#[test]
fn a_merge_that_follows_a_rename_is_for_a_person() {
    let (repo, anchor) = fleet(RULES);
    propose(&repo, "ben", || repo.write("web/page", &("a line\n".repeat(19) + "by ben\n")));
    repo.git(&["mv", "web/page", "db/page"]);
    repo.commit_as("alice", "move");
    let merge = repo.merge_as("forge", "side");
    assert_not_clean(&repo, anchor, merge, "it changes 'db/page', which the automatic merge of its parents leaves, or");
}

#[test]
fn thresholds_hold_and_nobody_approves_his_own() {
    let rules = format!("{RULES}approvals:\n  - {{paths: [\"web/**\"], needs: 1}}\n");
    let (repo, anchor) = fleet(&rules);
    let change = propose(&repo, "alice", page(&repo));
    let merge = repo.merge_as("forge", "side");
    for who in ["alice", "forge", "ben"] {
        assert_refused(&repo, anchor, merge, merge, "ApprovalsMissing");
        approve(&repo, who, change);
    }
    assert_refused(&repo, anchor, merge, merge, "ApprovalsMissing");
    approve(&repo, "mallory", change);
    assert_passes(&repo, anchor, merge);
}

#[test]
fn a_forge_is_nobody_who_could_change_the_policy() {
    let (repo, anchor) = fleet(RULES);
    repo.write("policy/access.yaml", "forge: [\"*@example.com\"]\nrules: [{who: [\"*\"], may: [all]}]\n");
    repo.write("policy/allowed_signers", &(repo.signer_line("alice", "") + &repo.signer_line("ben", "")));
    let head = repo.commit_as("alice", "all are forges");
    assert_refused(&repo, anchor, head, head, "PolicyNobodyLeft");
}
