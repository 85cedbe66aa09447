//! Commit objects that git would take, or that only an attacker writes.

use super::{assert_refused, verify};
use crate::test_repository::{TestRepository, insert_signature};

#[test]
fn refuses_a_force_push_to_an_old_signed_commit() {
    let repo = TestRepository::new();
    let old = repo.head();
    let anchor = repo.commit_as("alice", "second");
    assert_refused(&repo, anchor, old, old, "NotDescendant");

    repo.git(&["checkout", "-q", "--detach", &old.to_string()]);
    let fork = repo.commit_as("alice", "another second");
    let rejection = assert_refused(&repo, anchor, fork, fork, "NotDescendant");
    assert!(rejection.hint().unwrap().contains("force push"));
}

#[test]
fn refuses_an_unrelated_history() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    repo.git(&["checkout", "-q", "--orphan", "other"]);
    let head = repo.commit_as("alice", "other root");
    assert_refused(&repo, anchor, head, head, "NotDescendant");
}

#[test]
fn refuses_what_is_no_commit() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]).parse().unwrap();
    assert_refused(&repo, anchor, tree, tree, "MalformedCommit");
    let nowhere = "1111111111111111111111111111111111111111".parse().unwrap();
    let rejection = assert_refused(&repo, anchor, nowhere, nowhere, "UnreadableObject");
    assert!(rejection.may_pass_later());
}

#[test]
fn refuses_a_second_signature() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let raw = repo.raw_commit(&tree, &[anchor], "", "two signatures\n");
    let alice = repo.sign("alice", "git", &raw);
    let mallory = repo.sign("mallory", "git", &raw);
    for pair in [[alice.as_str(), mallory.as_str()], [mallory.as_str(), alice.as_str()]] {
        let head = repo.hash_object("commit", &insert_signature(&raw, &pair));
        assert_refused(&repo, anchor, head, head, "DoubleSignature");
    }
}

#[test]
fn refuses_headers_that_git_does_not_write() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let cases = [
        ("foreign x\n", "ForeignHeader"),
        ("gpgsig-sha256 -----BEGIN\n", "DoubleSignature"),
        ("mergetag object x\n type commit\n", "ForeignHeader"),
        ("\u{1b}[31mred x\n", "ForeignHeader"),
        ("author B <b@example.com> 1700000000 +0000\n", "MalformedCommit"),
        ("encoding latin1\nencoding latin1\n", "MalformedCommit"),
    ];
    for (headers, code) in cases {
        let raw = repo.raw_commit(&tree, &[anchor], headers, "x\n");
        let head = repo.store_signed("alice", "git", &raw);
        let rejection = assert_refused(&repo, anchor, head, head, code);
        assert!(!rejection.to_string().contains('\u{1b}'));
    }
    let raw = repo.raw_commit(&tree, &[anchor], "encoding UTF-8\n", "x\n");
    let head = repo.store_signed("alice", "git", &raw);
    assert!(verify(&repo, anchor, head).is_ok());
}

#[test]
fn refuses_a_nul_byte() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let raw = repo.raw_commit(&tree, &[anchor], "", "seen\0hidden\n");
    let head = repo.store_signed("alice", "git", &raw);
    assert_refused(&repo, anchor, head, head, "MalformedCommit");
}
