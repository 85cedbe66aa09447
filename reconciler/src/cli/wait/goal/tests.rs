#![allow(clippy::unwrap_used, clippy::disallowed_methods)]
use serde_json::json;

use super::*;
use crate::test_repository::TestRepository;

/// A clone with two pushed commits, and these.
fn pushed() -> (TestRepository, String, String) {
    let repo = TestRepository::new();
    let old = repo.head().to_string();
    let new = repo.commit_as("alice", "second").to_string();
    repo.git(&["push", "-q", "origin", "main"]);
    (repo, old, new)
}

#[test]
fn what_was_pushed_is_waited_for_before_the_orchestrator_has_seen_it() {
    let (repo, old, new) = pushed();
    std::fs::create_dir(repo.work().join("below")).unwrap();
    let clone = Pushed::load(&repo.work().join("below"), "test").unwrap();
    assert_eq!(Goal::newest(&json!({"tip": null}), Some(&clone)), Some(Goal::Unseen(new.clone())));
    assert_eq!(Goal::newest(&json!({"tip": old}), Some(&clone)), Some(Goal::Unseen(new.clone())));
    assert_eq!(Goal::newest(&json!({"tip": new, "attempted": old}), Some(&clone)), Some(Goal::At(new)));
    // Someone else pushed after us.
    let later = "7".repeat(40);
    assert_eq!(Goal::newest(&json!({"tip": later}), Some(&clone)), Some(Goal::At(later)));
}

#[test]
fn a_commit_that_is_not_pushed_yet_is_not_waited_for() {
    let (repo, _, new) = pushed();
    repo.commit_as("alice", "third");
    let clone = Pushed::load(&repo.work(), "test").unwrap();
    assert_eq!(Goal::newest(&json!({"tip": new}), Some(&clone)), Some(Goal::At(new)));
}

#[test]
fn a_repository_of_something_else_says_nothing() {
    let (repo, old, _) = pushed();
    assert!(Pushed::load(&repo.work(), "shop").is_none());
    assert!(Pushed::load(std::path::Path::new("/"), "test").is_none());
    assert_eq!(Goal::newest(&json!({"tip": old}), None), Some(Goal::At(old)));
    assert_eq!(Goal::newest(&json!({"tip": null}), None), None);
}

#[test]
fn a_refused_commit_is_out_of_reach_and_one_that_is_faulty_elsewhere_is_not() {
    let goal = Goal::At("1".repeat(40));
    let revisions = |verdict: &str| [json!({"id": "1".repeat(40), "verdict": verdict, "detail": "unsigned"})];
    let (here, there) = (json!({"assigned": "1".repeat(40)}), json!({"assigned": "0".repeat(40)}));
    let why = goal.out_of_reach(&revisions("Rejected"), &[&there]);
    assert_eq!(why.as_deref(), Some("11111111 is rejected: unsigned"));
    assert!(goal.out_of_reach(&revisions("Faulty"), &[&there]).is_some());
    assert_eq!(goal.out_of_reach(&revisions("Faulty"), &[&there, &here]), None);
    assert_eq!(goal.out_of_reach(&revisions("Verified"), &[&there]), None);
    assert_eq!(goal.out_of_reach(&[], &[&there]), None, "it is not through yet");
}
