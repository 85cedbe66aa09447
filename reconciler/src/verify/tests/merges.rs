//! Side branches are judged by the mainline that takes them in.

use super::{assert_refused, verify};
use crate::test_repository::TestRepository;

pub(super) fn both_signers(repo: &TestRepository) -> String {
    repo.signer_line("alice", "") + &repo.signer_line("mallory", "")
}

#[test]
fn passes_a_signed_merge_of_signed_commits() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.write("side", "1");
    let side = repo.commit_as("alice", "on the side");
    repo.git(&["checkout", "-q", "main"]);
    repo.write("main", "1");
    let main = repo.commit_as("alice", "on main");
    let merge = repo.merge_as("alice", "side");

    let revision = verify(&repo, anchor, merge).unwrap();
    let mainline: Vec<_> = revision.mainline().map(|commit| commit.id).collect();
    assert_eq!(mainline, [main, merge]);
    assert_eq!(revision.commits().len(), 3);
    assert!(revision.commits().iter().any(|commit| commit.id == side && !commit.on_mainline));
}

#[test]
fn refuses_an_unsigned_merge_with_a_hint() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.write("side", "1");
    repo.commit_as("alice", "on the side");
    repo.git(&["checkout", "-q", "main"]);
    repo.git(&["merge", "-q", "--no-ff", "--no-gpg-sign", "-m", "merge", "side"]);
    let rejection = assert_refused(&repo, anchor, repo.head(), repo.head(), "UnsignedCommit");
    assert!(rejection.hint().unwrap().contains("git merge --no-ff -S"));
}

#[test]
fn a_new_signer_counts_from_the_merge_on() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.write("policy/allowed_signers", &both_signers(&repo));
    repo.commit_as("alice", "propose mallory");
    repo.git(&["checkout", "-q", "main"]);
    repo.merge_as("alice", "side");
    repo.write("file", "1");
    let head = repo.commit_as("mallory", "now listed");
    assert_eq!(verify(&repo, anchor, head).unwrap().id(), head);
}

#[test]
fn judges_an_older_branch_that_forked_before_the_anchor() {
    let repo = TestRepository::new();
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.write("side", "1");
    let side = repo.commit_as("mallory", "old and foreign");
    repo.git(&["checkout", "-q", "main"]);
    repo.write("main", "1");
    let anchor = repo.commit_as("alice", "main goes on");
    let merge = repo.merge_as("alice", "side");
    assert_refused(&repo, anchor, merge, side, "UnknownSigner");
}
