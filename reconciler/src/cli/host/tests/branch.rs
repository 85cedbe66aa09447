use super::{repository, run};

/// Where a reference of the clone, or of its origin, is.
fn at(repo: &crate::test_repository::TestRepository, reference: &str) -> String {
    repo.git(&["fetch", "-q", "origin"]);
    repo.git(&["rev-parse", reference]).trim().to_owned()
}

#[test]
fn on_another_branch_nothing_is_done_until_it_is_said_where() {
    let repo = repository();
    repo.git(&["checkout", "-q", "-b", "tidy-up"]);
    let before = at(&repo, "main");
    let told = run(&repo, &["retire", "web-1", "--yes"]).unwrap_err();
    assert!(told.contains("is on the branch tidy-up; say --branch tidy-up"), "{told}");
    assert_eq!([at(&repo, "main"), at(&repo, "origin/main"), at(&repo, "tidy-up")], [&before; 3].map(Clone::clone));

    run(&repo, &["retire", "web-1", "--yes", "--branch", "main"]).unwrap();
    assert_ne!(at(&repo, "origin/main"), before, "as it was said");
    assert_eq!(at(&repo, "tidy-up"), before);
    assert_eq!(repo.git(&["status", "--porcelain"]).trim(), "", "the work tree is of another branch");
    assert!(repo.work().join("environments/production/hosts/web-1.yaml").exists());
}

#[test]
fn a_branch_for_a_pull_request_is_pushed_and_main_stays() {
    let repo = repository();
    let main = at(&repo, "main");
    repo.git(&["checkout", "-q", "-b", "leave"]);
    repo.write("notes", "of mine\n");
    repo.commit_as("alice", "a commit of the branch that is not pushed yet");
    run(&repo, &["retire", "web-1", "--yes", "--branch", "leave"]).unwrap();
    assert_eq!(at(&repo, "origin/leave"), at(&repo, "leave"));
    assert_eq!(repo.git(&["log", "--format=%s", "main..origin/leave"]).lines().count(), 2);
    assert_eq!([at(&repo, "main"), at(&repo, "origin/main")], [main.clone(), main]);
    assert!(!repo.work().join("environments/production/hosts/web-1.yaml").exists(), "the work tree too");
}

#[test]
fn a_branch_that_others_pushed_to_is_to_be_pulled_first() {
    let repo = repository();
    repo.git(&["checkout", "-q", "-b", "leave"]);
    repo.write("notes", "of another\n");
    repo.commit_as("alice", "what another pushed");
    repo.git(&["push", "-q", "origin", "leave"]);
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    let told = run(&repo, &["retire", "web-1", "--yes", "--branch", "leave"]).unwrap_err();
    assert!(told.contains("has commits that your clone lacks; try: git pull"), "{told}");
    for (branch, expected) in [("nowhere", "has no branch nowhere"), ("a..b", "is no name of a branch")] {
        let told = run(&repo, &["retire", "web-1", "--yes", "--branch", branch]).unwrap_err();
        assert!(told.contains(expected), "{told}");
    }
}
