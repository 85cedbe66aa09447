//! Commits of the status branch by others.

use super::*;

#[test]
fn a52_what_others_put_on_the_branch_does_not_count() {
    let repo = TestRepository::new();
    let mut branch = StatusBranch::open(&repo.bare(), status_key(&repo), None).unwrap();
    let ours = branch.commit(&files(&[("README.md", Some("ours"))]), "status: ours", NOW).unwrap().unwrap();
    repo.git(&["fetch", "-q", "origin", "status"]);
    repo.git(&["checkout", "-q", "-b", "status", "FETCH_HEAD"]);
    repo.write("README.md", "forged");
    repo.commit_as("mallory", "forged");
    let forged = repo.commit_unsigned("forged again");
    repo.git(&["push", "-q", "origin", "status"]);

    let mut branch = StatusBranch::open(&repo.bare(), status_key(&repo), None).unwrap();
    assert_eq!((branch.tip(), branch.foreign_tip()), (Some(ours), Some(forged)));
    assert_eq!(branch.load().unwrap().unwrap().files["README.md"], b"ours");
    let next = branch.commit(&files(&[("README.md", Some("ours again"))]), "status: next", NOW).unwrap().unwrap();
    assert_eq!(git(&repo, &["rev-parse", "status^"]), ours.to_string());
    assert_eq!(branch.tip(), Some(next));
    // A branch without any commit of ours is as if it were empty.
    git(&repo, &["update-ref", "refs/heads/status", &git(&repo, &["commit-tree", "-m", "x", "status^{tree}"])]);
    let branch = StatusBranch::open(&repo.bare(), status_key(&repo), None).unwrap();
    assert_eq!(branch.tip(), None);
    assert!(branch.load().unwrap().is_none());
}
