//! A merge answers for what differs from the automatic merge of its parents.
#![allow(clippy::disallowed_methods, reason = "looks into the folders of a repository")]

use std::collections::BTreeSet;
use std::path::Path;

use super::super::merge::{MergeChanges, compare_merge};
use crate::test_repository::TestRepository;

/// A repository with files in common, and branches `main` and `side` that both changed some.
fn diverged() -> TestRepository {
    let repo = TestRepository::new();
    let lines: String = (1..=20).map(|number| format!("line {number}\n")).collect();
    for path in ["shared", "hosts/one", "hosts/two"] {
        repo.write(path, &lines);
    }
    repo.commit_as("alice", "base");
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.write("shared", &lines.replace("line 2\n", "side\n"));
    repo.write("added", "by side\n");
    repo.git(&["mv", "hosts/one", "hosts/renamed"]);
    repo.commit_as("alice", "on the side");
    repo.git(&["checkout", "-q", "main"]);
    repo.write("shared", &lines.replace("line 19\n", "main\n"));
    repo.write("hosts/one", &lines.replace("line 9\n", "main\n"));
    repo.git(&["rm", "-q", "hosts/two"]);
    repo.commit_as("alice", "on main");
    repo
}

/// Starts the merge of `side`, so that a test can change what it takes in.
fn start_merge(repo: &TestRepository) {
    repo.git(&["merge", "-q", "--no-ff", "--no-commit", "side"]);
}

fn judge(repo: &TestRepository) -> MergeChanges {
    compare_merge(&repo.open(), repo.head()).unwrap().unwrap()
}

#[track_caller]
fn assert_changes(repo: &TestRepository, paths: &[&str]) {
    let changes = judge(repo);
    assert_eq!(changes.paths, paths.iter().map(|&path| path.to_owned()).collect::<BTreeSet<_>>());
    assert_eq!(changes.is_clean(), paths.is_empty() && changes.parents == 2);
}

#[test]
fn the_merge_that_git_makes_changes_nothing_itself() {
    let repo = diverged();
    repo.merge_as("alice", "side");
    assert_eq!(repo.git(&["show", "HEAD:hosts/renamed"]).lines().nth(8), Some("main"), "git follows the rename");
    assert_changes(&repo, &[]);
    assert_eq!(compare_merge(&repo.open(), repo.git(&["rev-parse", "side"]).parse().unwrap()).unwrap(), None);
}

#[test]
fn lists_what_an_evil_merge_adds_changes_and_drops() {
    let repo = diverged();
    start_merge(&repo);
    repo.write("policy/allowed_signers", &(repo.signer_line("alice", "") + &repo.signer_line("mallory", "")));
    repo.write("shared", "neither\n");
    repo.git(&["rm", "-q", "-f", "added"]);
    repo.commit_as("alice", "evil");
    assert_changes(&repo, &["added", "policy/allowed_signers", "shared"]);
}

#[test]
fn lists_a_mode_a_rename_and_a_link_as_changes() {
    let repo = diverged();
    start_merge(&repo);
    repo.git(&["update-index", "--chmod=+x", "muster.yaml"]);
    repo.git(&["mv", "hosts/renamed", "hosts/elsewhere"]);
    std::fs::remove_file(repo.work().join("added")).unwrap();
    std::os::unix::fs::symlink("shared", repo.work().join("added")).unwrap();
    repo.git(&["add", "added"]);
    repo.git(&["commit", "-q", "--no-gpg-sign", "-m", "evil"]);
    assert_changes(&repo, &["added", "hosts/elsewhere", "hosts/renamed", "muster.yaml"]);
}

#[test]
fn lists_what_a_merge_takes_from_one_side_alone() {
    let repo = diverged();
    repo.git(&["merge", "-q", "--no-ff", "--no-gpg-sign", "-s", "ours", "-m", "drop side", "side"]);
    assert_changes(&repo, &["added", "hosts/one", "hosts/renamed", "shared"]);
}

#[test]
fn lists_conflicts_and_whatever_else_differs() {
    let repo = diverged();
    repo.git(&["checkout", "-q", "side"]);
    repo.write("shared", "side alone\n");
    repo.commit_as("alice", "a conflict");
    repo.git(&["checkout", "-q", "main"]);
    repo.git(&["merge", "-q", "--no-ff", "--no-commit", "-X", "ours", "side"]);
    repo.write("muster.yaml", "schema: 1\nfleet: other\n");
    repo.commit_as("alice", "resolved");
    assert_changes(&repo, &["muster.yaml", "shared"]);
}

#[test]
fn lists_changes_where_only_one_side_moved() {
    let repo = TestRepository::new();
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.write("side", "1");
    repo.commit_as("alice", "on the side");
    repo.git(&["checkout", "-q", "main"]);
    repo.merge_as("alice", "side");
    assert_changes(&repo, &[]);
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    start_merge(&repo);
    repo.write("evil", "1");
    repo.commit_as("alice", "evil");
    assert_changes(&repo, &["evil"]);
}

#[test]
fn a_merge_made_by_pulling_is_compared_alike() {
    let repo = diverged();
    repo.git(&["checkout", "-q", "side"]);
    repo.merge_as("alice", "main");
    assert_changes(&repo, &[]);
    repo.write("evil", "1");
    repo.git(&["add", "evil"]);
    repo.git(&["commit", "-q", "--amend", "--no-gpg-sign", "--no-edit"]);
    assert_changes(&repo, &["evil"]);
}

#[test]
fn follows_merges_that_cross() {
    let repo = diverged();
    repo.git(&["branch", "old-main"]);
    repo.merge_as("alice", "side");
    repo.write("main", "1");
    repo.commit_as("alice", "on main");
    repo.git(&["checkout", "-q", "side"]);
    repo.merge_as("alice", "old-main");
    repo.write("side", "1");
    repo.commit_as("alice", "on the side");
    repo.git(&["checkout", "-q", "main"]);
    assert_eq!(repo.git(&["merge-base", "--all", "main", "side"]).lines().count(), 2);
    repo.merge_as("alice", "side");
    assert_changes(&repo, &[]);
}

#[test]
fn a_merge_of_three_is_never_clean() {
    let repo = diverged();
    repo.git(&["checkout", "-q", "-b", "third", "HEAD~1"]);
    repo.write("third", "1");
    repo.commit_as("alice", "a third");
    repo.git(&["checkout", "-q", "-b", "fourth", "HEAD~1"]);
    repo.write("fourth", "1");
    repo.commit_as("alice", "a fourth");
    repo.git(&["merge", "-q", "--no-ff", "--no-gpg-sign", "-m", "three", "third", "main"]);
    let changes = judge(&repo);
    assert_eq!(changes.parents, 3);
    assert!(!changes.is_clean());
    // Each side has something that another lacks; what all three have alike is no change.
    assert!(changes.paths.contains("third") && changes.paths.contains("fourth"), "{changes:?}");
    assert!(!changes.paths.contains("muster.yaml"), "{changes:?}");
}

#[test]
fn histories_without_a_common_commit_conflict_where_they_differ() {
    let repo = diverged();
    repo.git(&["checkout", "-q", "--orphan", "foreign"]);
    repo.write("muster.yaml", "schema: 1\nfleet: foreign\n");
    repo.write("foreign", "1");
    repo.commit_as("alice", "another history");
    repo.git(&["checkout", "-q", "main"]);
    repo.git(&["merge", "-q", "--no-gpg-sign", "--allow-unrelated-histories", "-X", "ours", "-m", "m", "foreign"]);
    let changes = judge(&repo);
    assert!(changes.paths.contains("muster.yaml") && !changes.paths.contains("foreign"), "{changes:?}");
}

#[test]
fn judging_writes_nothing_to_the_repository() {
    let repo = diverged();
    start_merge(&repo);
    // The automatic merge of this file is no object that git stored.
    repo.write("shared", "neither\n");
    repo.commit_as("alice", "evil");
    repo.git(&["gc", "-q", "--prune=now"]);
    let objects = repo.work().join(".git/objects");
    let before = list(&objects);
    assert_changes(&repo, &["shared"]);
    assert_eq!(list(&objects), before);
}

fn list(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        found.insert(path.display().to_string());
        if path.is_dir() {
            found.append(&mut list(&path));
        }
    }
    found
}
