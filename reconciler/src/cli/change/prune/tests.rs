#![allow(clippy::unwrap_used, clippy::disallowed_methods)]
use std::path::Path;

use clap::Parser;
use git2::Oid;

use crate::cli::Cli;
use crate::test_repository::TestRepository;

fn run(repo: &TestRepository, command: &[&str]) -> Result<(), String> {
    run_in(&repo.work(), command)
}

fn run_in(work: &Path, command: &[&str]) -> Result<(), String> {
    let all = [&["muster", "change"], command, &["--repo", work.to_str().unwrap()]].concat();
    Cli::try_parse_from(all).unwrap().run().map(drop).map_err(|error| format!("{error:#}"))
}

/// Of which commits there are approvals, here and at origin.
fn approved(repo: &TestRepository) -> (Vec<Oid>, Vec<Oid>) {
    let commits = |listed: String| {
        let names = listed.lines().filter_map(|line| line.split_whitespace().last());
        let mut commits: Vec<Oid> = names.filter_map(|name| name.split('/').nth(3)?.parse().ok()).collect();
        commits.sort_unstable();
        commits
    };
    let here = repo.git(&["for-each-ref", "--format=%(refname)", "refs/muster/approvals"]);
    (commits(here), commits(repo.git(&["ls-remote", "origin", "refs/muster/approvals/*"])))
}

fn sorted<const N: usize>(mut commits: [Oid; N]) -> Vec<Oid> {
    commits.sort_unstable();
    commits.to_vec()
}

/// A change on a branch that origin has, approved there; the clone is back on main.
fn change(repo: &TestRepository, name: &str) -> Oid {
    repo.git(&["checkout", "-q", "-b", name, "main"]);
    repo.write(name, "new\n");
    let commit = repo.commit_as("alice", name);
    repo.git(&["push", "-q", "origin", name]);
    repo.git(&["checkout", "-q", "main"]);
    let key = repo.key("mallory");
    run(repo, &["approve", name, "--key", key.to_str().unwrap()]).unwrap();
    repo.git(&["branch", "-q", "-D", name]);
    commit
}

fn merge(repo: &TestRepository, change: Oid) -> Oid {
    repo.git(&["merge", "-q", "--no-ff", "-m", "Merge", &change.to_string()]);
    repo.git(&["push", "-q", "origin", "main"]);
    repo.head()
}

#[test]
fn approvals_that_nothing_waits_for_are_removed_here_and_at_origin() {
    let repo = TestRepository::new();
    repo.git(&["config", "user.name", "Alice"]);
    repo.git(&["config", "user.email", "alice@example.com"]);
    repo.git(&["push", "-q", "origin", "main"]);
    let [merged, unverified, open, pulled, left] =
        ["merged", "unverified", "open", "pulled", "left"].map(|name| change(&repo, name));
    let verified = merge(&repo, merged);
    let newest = merge(&repo, unverified);
    // A forge's name for a proposal, which no clone fetches; and a branch that its author gave up.
    repo.git(&["push", "-q", "origin", &format!("{pulled}:refs/pull/7/head"), ":refs/heads/pulled"]);
    repo.git(&["push", "-q", "origin", ":refs/heads/left"]);
    repo.git(&["update-ref", "refs/remotes/origin/left", &left.to_string()]);
    // Somebody else's clone has one that is not here.
    let kept_here = repo.git(&["for-each-ref", "--format=%(refname)", &format!("refs/muster/approvals/{merged}")]);
    repo.git(&["update-ref", "-d", &kept_here]);
    let all = approved(&repo);
    assert_eq!(all.1, sorted([merged, unverified, open, pulled, left]));

    let unknown = run(&repo, &["prune"]).unwrap_err();
    assert!(unknown.contains("--until"), "{unknown}");
    assert!(run(&repo, &["prune", "--until", &open.to_string()]).unwrap_err().contains("is not on main"));
    // What is verified is in the status branch, as far as the orchestrator's key signed it.
    repo.make_key("status", &["-t", "ed25519"]);
    let key = repo.key("status").with_extension("pub");
    let prune = |more: &[&str]| run(&repo, &[&["prune", "--status-key", key.to_str().unwrap()], more].concat());
    assert!(prune(&[]).unwrap_err().contains("--until"), "there is none");
    repo.git(&["checkout", "-q", "--orphan", "status"]);
    repo.commit_as("mallory", "status");
    let push_anchor = |signer: &str, anchor: &Oid| {
        repo.git(&["checkout", "-q", "status"]);
        repo.write("assignments.yaml", &format!("anchor: {anchor}\n"));
        repo.commit_as(signer, "status");
        repo.git(&["push", "-q", "origin", "status"]);
        repo.git(&["checkout", "-q", "main"]);
    };
    push_anchor("mallory", &newest);
    for forged in [prune(&[]), run(&repo, &["prune"])] {
        assert!(forged.as_ref().is_err_and(|error| error.contains("--until")), "{forged:?}");
    }
    assert_eq!(approved(&repo), all, "nothing goes by what a stranger says");
    push_anchor("status", &verified);
    // Nor by what one says on top of the orchestrator's word.
    push_anchor("mallory", &newest);
    repo.git(&["branch", "-q", "-D", "status"]);
    assert_eq!(prune(&["--dry-run"]), Ok(()));
    assert_eq!(approved(&repo), all, "only said");

    assert_eq!(prune(&[]), Ok(()));
    // A merge that the orchestrator has not taken in may wait for just that approval.
    let stay = sorted([unverified, open, pulled]);
    assert_eq!(approved(&repo), (stay.clone(), stay));
    // A clone that lacks the commit of the proposal.
    let fresh = repo.path().join("fresh");
    let url = format!("file://{}", repo.bare().display());
    repo.git(&["clone", "-q", &url, fresh.to_str().unwrap()]);
    assert_eq!(run_in(&fresh, &["prune", "--until", "main"]), Ok(()));
    assert_eq!(approved(&repo).1, sorted([open, pulled]));
    assert_eq!(run(&repo, &["prune", "--until", "main"]), Ok(()));
    let stay = sorted([open, pulled]);
    assert_eq!(approved(&repo), (stay.clone(), stay));
}
