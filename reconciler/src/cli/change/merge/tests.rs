#![allow(clippy::unwrap_used, clippy::disallowed_methods)]
use clap::Parser;
use git2::Oid;

use crate::cli::Cli;
use crate::test_repository::TestRepository;

const RULES: &str = "rules:
  - {who: [alice@example.com], may: [all]}
  - {who: [mallory@example.com], may: [write, approve]}
approvals: [{paths: [\"secrets/**\"], needs: 1}]
";

/// A clone of which main is pushed, and a branch that only origin has.
fn repository(path: &str, text: &str) -> TestRepository {
    let repo = TestRepository::new();
    repo.git(&["config", "user.name", "Alice"]);
    repo.git(&["config", "user.email", "alice@example.com"]);
    repo.write("policy/allowed_signers", &(repo.signer_line("alice", "") + &repo.signer_line("mallory", "")));
    repo.write("policy/access.yaml", RULES);
    repo.write("page", "1\n");
    repo.commit_as("alice", "rules");
    repo.git(&["push", "-q", "origin", "main"]);
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.write(path, text);
    repo.commit_as("alice", "proposed");
    repo.git(&["push", "-q", "origin", "side"]);
    repo.git(&["checkout", "-q", "main"]);
    repo.git(&["branch", "-q", "-D", "side"]);
    repo.git(&["update-ref", "-d", "refs/remotes/origin/side"]);
    repo
}

fn run(repo: &TestRepository, command: &[&str]) -> Result<bool, String> {
    let work = repo.work();
    let all = [&["muster", "change"], command, &["--repo", work.to_str().unwrap()]].concat();
    let done = Cli::try_parse_from(all).unwrap().run().map_err(|error| format!("{error:#}"))?;
    Ok(format!("{done:?}") == format!("{:?}", std::process::ExitCode::SUCCESS))
}

/// What is at origin.
fn pushed(repo: &TestRepository) -> Oid {
    let listed = repo.git(&["ls-remote", "origin", "refs/heads/main"]);
    listed.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn a_branch_is_merged_signed_and_pushed() {
    let repo = repository("page", "2\n");
    let before = repo.head();
    repo.write("untracked", "mine");
    assert_eq!(run(&repo, &["merge", "side", "--no-push"]), Ok(true));
    assert_eq!(pushed(&repo), before);
    repo.git(&["reset", "-q", "--hard", &before.to_string()]);

    assert_eq!(run(&repo, &["merge", "side", "-m", "Bring the page"]), Ok(true));
    assert_eq!(pushed(&repo), repo.head());
    assert_eq!(repo.git(&["rev-list", "--parents", "-1", "HEAD"]).split(' ').nth(1), Some(&*before.to_string()));
    assert_eq!(repo.git(&["rev-parse", "HEAD^2"]), repo.git(&["rev-parse", "origin/side"]));
    assert_eq!(repo.git(&["log", "-1", "--format=%s %ae"]), "Bring the page alice@example.com");
    assert_eq!(std::fs::read_to_string(repo.work().join("page")).unwrap(), "2\n", "the work tree too");
    assert_eq!(repo.git(&["status", "--porcelain"]), "?? untracked");
    let signers = repo.path().join("signers");
    std::fs::write(&signers, repo.signer_line("alice", "")).unwrap();
    repo.git(&["-c", &format!("gpg.ssh.allowedSignersFile={}", signers.display()), "verify-commit", "HEAD"]);

    let head = repo.head();
    assert_eq!(run(&repo, &["merge", "side"]), Ok(true));
    assert_eq!(repo.head(), head, "again makes no commit");
}

#[test]
fn what_would_be_refused_is_not_merged() {
    let repo = repository("secrets/token", "1");
    let before = repo.head();
    assert_eq!(run(&repo, &["merge", "side"]), Ok(false));
    assert_eq!((repo.head(), pushed(&repo)), (before, before));
    // The approval is fetched from where its maker pushed it.
    let key = repo.key("mallory");
    repo.git(&["fetch", "-q", "origin"]);
    assert_eq!(run(&repo, &["approve", "side", "--key", key.to_str().unwrap()]), Ok(true));
    let made = repo.git(&["for-each-ref", "--format=%(refname)", "refs/muster/approvals"]);
    repo.git(&["update-ref", "-d", &made]);
    assert_eq!(run(&repo, &["merge", "side"]), Ok(true));
    assert_eq!(pushed(&repo), repo.head());

    // Somebody without the right.
    let repo = repository("page", "2\n");
    let before = repo.head();
    let key = repo.key("mallory");
    assert_eq!(run(&repo, &["merge", "side", "--signing-key", key.to_str().unwrap()]), Ok(false));
    assert_eq!((repo.head(), pushed(&repo)), (before, before));
}

#[test]
fn what_is_unclear_is_an_error() {
    let repo = repository("page", "2\n");
    let before = repo.head();
    assert!(run(&repo, &["merge", "sied"]).unwrap_err().contains("there is no branch or commit 'sied'"));
    repo.git(&["branch", "-q", "side", "main"]);
    let two = run(&repo, &["merge", "side"]).unwrap_err();
    assert!(two.contains("say origin/side"), "{two}");
    repo.write("page", "unfinished\n");
    let dirty = run(&repo, &["merge", "origin/side"]).unwrap_err();
    assert!(dirty.contains("'page' has changes that are not committed"), "{dirty}");
    assert_eq!((repo.head(), pushed(&repo)), (before, before));

    repo.write("page", "3\n");
    let ours = repo.commit_as("alice", "the same line");
    repo.git(&["push", "-q", "origin", "main"]);
    let conflict = run(&repo, &["merge", "origin/side"]).unwrap_err();
    assert!(conflict.contains("both sides change page") && conflict.contains("git merge --no-ff -S origin/side"));
    assert_eq!((repo.head(), pushed(&repo)), (ours, ours));
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_merge_goes_into_main_whatever_is_checked_out() {
    let repo = repository("page", "2\n");
    let before = repo.head();
    repo.git(&["checkout", "-q", "-b", "elsewhere"]);
    assert_eq!(run(&repo, &["merge", "side"]), Ok(true));
    assert_ne!(pushed(&repo), before);
    assert_eq!(repo.head(), before, "of the branch that is checked out");
    assert_eq!(std::fs::read_to_string(repo.work().join("page")).unwrap(), "1\n");
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
}
