//! Commit objects that git would take, or that only an attacker writes.

use super::assert_refused;
use crate::test_repository::TestRepository;

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
fn refuses_a_nul_byte() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let raw = repo.raw_commit(&tree, &[anchor], "", "seen\0hidden\n");
    let head = repo.store_signed("alice", "git", &raw);
    assert_refused(&repo, anchor, head, head, "MalformedCommit");
}
