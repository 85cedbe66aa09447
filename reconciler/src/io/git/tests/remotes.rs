//! Remotes through the installed git.

mod attack;

use std::fs;
use std::time::Duration;

use crate::io::git::{GitError, RemoteUrl, fetch_remote, init_bare_repository, push_refs, read_tip};
use crate::test_repository::TestRepository;

const MAIN: &str = "refs/heads/main";

#[tokio::test]
async fn fetches_into_a_mirror_and_follows_force_pushes() {
    let repo = TestRepository::new();
    repo.git(&["push", "-q", "origin", "main"]);
    let first = repo.head();
    let mirror = repo.path().join("mirror.git");
    let open = init_bare_repository(&mirror).unwrap();
    let url: RemoteUrl = format!("file://{}", repo.bare().display()).parse().unwrap();
    // A hook that would betray itself.
    let hook = mirror.join("hooks/reference-transaction");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, format!("#!/bin/sh\ntouch {}/hooked\n", repo.path().display())).unwrap();
    fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();

    let refspec = ["+refs/heads/main:refs/heads/main"];
    fetch_remote(&mirror, &url, &refspec).await.unwrap();
    assert_eq!(read_tip(&open, MAIN).unwrap(), Some(first));

    repo.git(&["commit", "-q", "--amend", "--allow-empty", "-m", "rewritten"]);
    repo.git(&["push", "-q", "--force", "origin", "main"]);
    fetch_remote(&mirror, &url, &refspec).await.unwrap();
    assert_eq!(read_tip(&open, MAIN).unwrap(), Some(repo.head()));
    assert!(!repo.path().join("hooked").exists());
}

#[tokio::test]
async fn says_what_git_says_when_a_fetch_fails() {
    let repo = TestRepository::new();
    let mirror = repo.path().join("mirror.git");
    init_bare_repository(&mirror).unwrap();
    let url: RemoteUrl = format!("file://{}/absent.git", repo.path().display()).parse().unwrap();
    let error = fetch_remote(&mirror, &url, &["+refs/heads/main:refs/heads/main"]).await.unwrap_err();
    assert!(matches!(&error, GitError::Failed { message, .. } if message.contains("absent.git")), "{error}");
}

#[tokio::test]
async fn pushes_only_over_what_it_knows() {
    let repo = TestRepository::new();
    repo.git(&["push", "-q", "origin", "main"]);
    let old = repo.head().to_string();
    let mirror = repo.path().join("mirror.git");
    let open = init_bare_repository(&mirror).unwrap();
    let url: RemoteUrl = format!("file://{}", repo.bare().display()).parse().unwrap();
    fetch_remote(&mirror, &url, &["+refs/heads/main:refs/heads/main"]).await.unwrap();
    push_refs(&mirror, &url, &["refs/heads/main:refs/heads/status"], &[]).await.unwrap();

    repo.git(&["checkout", "-q", "--orphan", "fresh"]);
    let orphan = repo.commit_as("alice", "new start");
    repo.git(&["push", "-q", "origin", "fresh"]);
    fetch_remote(&mirror, &url, &["+refs/heads/fresh:refs/heads/fresh"]).await.unwrap();
    let refspec = ["refs/heads/fresh:refs/heads/status"];
    assert!(push_refs(&mirror, &url, &refspec, &[]).await.is_err(), "not a fast-forward");
    let stale = [("refs/heads/status", orphan.to_string())];
    assert!(push_refs(&mirror, &url, &refspec, &[(stale[0].0, &stale[0].1)]).await.is_err(), "a stale lease");
    push_refs(&mirror, &url, &refspec, &[("refs/heads/status", &old)]).await.unwrap();
    drop(open);
    let bare = init_bare_repository(&repo.bare()).unwrap();
    assert_eq!(read_tip(&bare, "refs/heads/status").unwrap(), Some(orphan));
}

#[tokio::test]
async fn stops_a_remote_that_never_answers() {
    let repo = TestRepository::new();
    let mirror = repo.path().join("mirror.git");
    init_bare_repository(&mirror).unwrap();
    // A server that accepts and stays silent.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url: RemoteUrl = format!("https://{}/fleet.git", listener.local_addr().unwrap()).parse().unwrap();
    let limit = Duration::from_millis(500);
    let error = crate::io::git::program::fetch_within(&mirror, &url, &["+refs/heads/main:refs/heads/main"], limit)
        .await
        .unwrap_err();
    assert!(matches!(error, GitError::TimedOut { .. }), "{error}");
}
