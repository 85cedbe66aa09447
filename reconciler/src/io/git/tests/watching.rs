//! The branch is noticed to move, soon.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::timeout;

use crate::io::git::{BranchWatch, RemoteUrl, StateSource, open_repository, wait_for_change};
use crate::test_repository::TestRepository;

const SOON: Duration = Duration::from_secs(5);

fn watch_local(repo: &TestRepository) -> BranchWatch {
    BranchWatch::open(StateSource::Local { path: repo.bare() }, "main", Arc::new(Notify::new())).unwrap()
}

#[tokio::test]
async fn a_push_to_a_local_repository_is_noticed() {
    let repo = TestRepository::new();
    let mut watch = watch_local(&repo);
    // The branch does not exist yet.
    assert!(timeout(Duration::from_millis(50), wait_for_change(&mut watch, None)).await.is_err());
    repo.git(&["push", "-q", "origin", "main"]);
    let first = timeout(SOON, wait_for_change(&mut watch, None)).await.unwrap().unwrap();
    assert_eq!(first, repo.head());

    let second = repo.commit_as("alice", "second");
    repo.git(&["push", "-q", "origin", "main"]);
    assert_eq!(timeout(SOON, wait_for_change(&mut watch, Some(first))).await.unwrap().unwrap(), second);

    // Into packed-refs and out of it again, and another branch: no change.
    repo.git(&["--git-dir", repo.bare().to_str().unwrap(), "pack-refs", "--all"]);
    repo.git(&["push", "-q", "origin", "main:other"]);
    assert!(timeout(Duration::from_millis(200), wait_for_change(&mut watch, Some(second))).await.is_err());
    let third = repo.commit_as("alice", "third");
    repo.git(&["push", "-q", "origin", "main"]);
    assert_eq!(timeout(SOON, wait_for_change(&mut watch, Some(second))).await.unwrap().unwrap(), third);
    // A ref that only packed-refs has.
    repo.git(&["--git-dir", repo.bare().to_str().unwrap(), "pack-refs", "--all"]);
    assert_eq!(timeout(SOON, wait_for_change(&mut watch, Some(second))).await.unwrap().unwrap(), third);
}

#[tokio::test]
async fn a_tip_is_looked_at_again_when_approvals_come() {
    let repo = TestRepository::new();
    repo.git(&["push", "-q", "origin", "main"]);
    let mut watch = watch_local(&repo);
    let tip = timeout(SOON, wait_for_change(&mut watch, None)).await.unwrap().unwrap();
    let commit = tip.to_string();
    for key in ["aa", "bb"] {
        let blob = repo.hash_object("blob", key.as_bytes()).to_string();
        let to = format!("{blob}:refs/muster/approvals/{commit}/{key}");
        repo.git(&["push", "-q", "origin", &to]);
        assert_eq!(timeout(SOON, wait_for_change(&mut watch, Some(tip))).await.unwrap().unwrap(), tip, "{key}");
        assert!(timeout(Duration::from_millis(200), wait_for_change(&mut watch, Some(tip))).await.is_err());
    }
    // Fetched from a remote too, whatever else is among them.
    let url: RemoteUrl = format!("file://{}", repo.bare().display()).parse().unwrap();
    let mirror = repo.path().join("mirror.git");
    let source = StateSource::Remote { url, mirror: mirror.clone(), poll: Duration::from_millis(50) };
    let mut watch = BranchWatch::open(source, "main", Arc::new(Notify::new())).unwrap();
    assert_eq!(timeout(SOON, wait_for_change(&mut watch, None)).await.unwrap().unwrap(), tip);
    let fetched = open_repository(&mirror).unwrap();
    assert!(fetched.find_reference(&format!("refs/muster/approvals/{commit}/aa")).is_ok());
    let blob = repo.hash_object("blob", b"cc").to_string();
    repo.git(&["push", "-q", "origin", &format!("{blob}:refs/muster/approvals/{commit}/cc")]);
    assert_eq!(timeout(SOON, wait_for_change(&mut watch, Some(tip))).await.unwrap().unwrap(), tip);
    // One that the mirror cannot take, because a folder is in its place, keeps no branch waiting.
    let inner = format!("refs/muster/approvals/{commit}/dd/inner");
    fetched.reference(&inner, fetched.blob(b"dd").unwrap(), false, "in the way").unwrap();
    repo.git(&["push", "-q", "origin", &format!("{blob}:refs/muster/approvals/{commit}/dd")]);
    let second = repo.commit_as("alice", "second");
    repo.git(&["push", "-q", "origin", "main"]);
    let seen =
        async { while timeout(SOON, wait_for_change(&mut watch, Some(tip))).await.unwrap().unwrap() != second {} };
    timeout(SOON, seen).await.unwrap();
}

#[tokio::test]
async fn reading_does_not_wake_the_watch() {
    let repo = TestRepository::new();
    repo.git(&["push", "-q", "origin", "main"]);
    let hint = Arc::new(Notify::new());
    let mut watch = BranchWatch::open(StateSource::Local { path: repo.bare() }, "main", Arc::clone(&hint)).unwrap();
    let head = repo.head();
    assert!(timeout(Duration::from_millis(100), wait_for_change(&mut watch, Some(head))).await.is_err());
    std::fs::read(repo.bare().join("refs/heads/main")).unwrap();
    std::fs::read_dir(repo.bare().join("refs/heads")).unwrap().count();
    assert!(timeout(Duration::from_millis(200), hint.notified()).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_moved_reference_is_noticed_within_milliseconds() {
    let repo = TestRepository::new();
    repo.git(&["push", "-q", "origin", "main"]);
    let mut tips = [repo.head(), repo.commit_as("alice", "second")];
    repo.git(&["push", "-q", "origin", "main:refs/heads/spare"]);
    let mut watch = watch_local(&repo);
    let bare = repo.bare();
    let mut latencies = Vec::new();
    for _ in 0..50 {
        let (from, to) = (tips[0], tips[1]);
        let path = bare.clone();
        let mover = tokio::task::spawn_blocking(move || {
            std::thread::sleep(Duration::from_millis(10));
            let open = open_repository(&path).unwrap();
            let moved = Instant::now();
            open.reference_matching("refs/heads/main", to, true, from, "move").unwrap();
            moved
        });
        let seen = timeout(SOON, wait_for_change(&mut watch, Some(from))).await.unwrap().unwrap();
        let at = Instant::now();
        assert_eq!(seen, to);
        latencies.push(at.saturating_duration_since(mover.await.unwrap()));
        tips.reverse();
    }
    latencies.sort();
    eprintln!("noticed after p50 {:?}, max {:?}", latencies[25], latencies[49]);
    assert!(latencies[25] < Duration::from_millis(50), "{latencies:?}");
}

#[tokio::test]
async fn a_remote_is_polled_and_a_hint_is_quicker() {
    let repo = TestRepository::new();
    repo.git(&["push", "-q", "origin", "main"]);
    let first = repo.head();
    let url: RemoteUrl = format!("file://{}", repo.bare().display()).parse().unwrap();
    let source = |poll| StateSource::Remote { url: url.clone(), mirror: repo.path().join("mirror.git"), poll };

    let mut watch = BranchWatch::open(source(Duration::from_millis(100)), "main", Arc::new(Notify::new())).unwrap();
    assert_eq!(timeout(SOON, wait_for_change(&mut watch, None)).await.unwrap().unwrap(), first);
    let second = repo.commit_as("alice", "second");
    repo.git(&["push", "-q", "origin", "main"]);
    assert_eq!(timeout(SOON, wait_for_change(&mut watch, Some(first))).await.unwrap().unwrap(), second);

    let hint = Arc::new(Notify::new());
    let mut slow = BranchWatch::open(source(Duration::from_secs(3600)), "main", Arc::clone(&hint)).unwrap();
    assert_eq!(timeout(SOON, wait_for_change(&mut slow, None)).await.unwrap().unwrap(), second);
    let third = repo.commit_as("alice", "third");
    repo.git(&["push", "-q", "origin", "main"]);
    assert!(timeout(Duration::from_millis(100), wait_for_change(&mut slow, Some(second))).await.is_err());
    hint.notify_one();
    assert_eq!(timeout(SOON, wait_for_change(&mut slow, Some(second))).await.unwrap().unwrap(), third);
}

#[tokio::test]
async fn a_remote_that_fails_is_tried_again_after_the_poll() {
    let repo = TestRepository::new();
    let absent = repo.path().join("later.git");
    let url: RemoteUrl = format!("file://{}", absent.display()).parse().unwrap();
    let source = StateSource::Remote { url, mirror: repo.path().join("mirror.git"), poll: Duration::from_millis(300) };
    let mut watch = BranchWatch::open(source, "main", Arc::new(Notify::new())).unwrap();
    assert!(wait_for_change(&mut watch, None).await.is_err());
    let start = Instant::now();
    repo.git(&["push", "-q", "origin", "main"]);
    std::fs::rename(repo.bare(), &absent).unwrap();
    assert_eq!(timeout(SOON, wait_for_change(&mut watch, None)).await.unwrap().unwrap(), repo.head());
    assert!(start.elapsed() >= Duration::from_millis(200), "{:?}", start.elapsed());
}
