//! The status branch on disk, read by real git.

mod attack;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ssh_key::PrivateKey;

use crate::io::git::{GitError, RemoteUrl, StatusBranch, init_bare_repository};
use crate::status::test_fleet::{NOW, fleet_of, host_signer, report_of};
use crate::status::{ChangedHosts, StatusFiles, fold_conditions, fold_report, load_status, render_status};
use crate::test_repository::TestRepository;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn status_key(repo: &TestRepository) -> PrivateKey {
    PrivateKey::read_openssh_file(&repo.key("alice")).unwrap()
}

fn files(list: &[(&str, Option<&str>)]) -> StatusFiles {
    let files = list.iter().map(|(path, content)| ((*path).to_owned(), content.map(|text| text.as_bytes().to_vec())));
    StatusFiles { files: files.collect(), whole_folders: Vec::new() }
}

fn git(repo: &TestRepository, args: &[&str]) -> String {
    let bare = repo.bare();
    repo.git(&[&["--git-dir", bare.to_str().unwrap()], args].concat())
}

fn count_files(folder: &Path, extension: &str) -> usize {
    fs::read_dir(folder)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|e| e == extension))
        .count()
}

#[test]
fn commits_are_signed_and_git_takes_them() {
    let repo = TestRepository::new();
    let mut branch = StatusBranch::open(&repo.bare(), status_key(&repo), None).unwrap();
    let first = branch
        .commit(&files(&[("README.md", Some("one")), ("hosts/aa/x.yaml", Some("1"))]), "status: first", NOW)
        .unwrap()
        .unwrap();
    assert_eq!(
        branch.commit(&files(&[("README.md", Some("one")), ("absent", None)]), "status: same", NOW).unwrap(),
        None
    );
    let second = branch.commit(&files(&[("hosts/aa/x.yaml", None)]), "status: second", NOW).unwrap().unwrap();

    let allowed = repo.path().join("allowed");
    fs::write(&allowed, repo.signer_line("alice", "")).unwrap();
    let setting = format!("gpg.ssh.allowedSignersFile={}", allowed.display());
    for commit in [first, second] {
        git(&repo, &["-c", &setting, "verify-commit", &commit.to_string()]);
    }
    git(&repo, &["fsck", "--strict", "--full"]);
    assert_eq!(git(&repo, &["rev-list", "status"]), format!("{second}\n{first}"));
    assert_eq!(git(&repo, &["ls-tree", "-r", "--name-only", "status"]), "README.md");
    // A pack for each commit, and no loose object.
    let objects = repo.bare().join("objects");
    assert_eq!(count_files(&objects.join("pack"), "pack"), 2);
    let loose = fs::read_dir(&objects).unwrap().filter(|entry| entry.as_ref().unwrap().file_name().len() == 2).count();
    assert_eq!(loose, 0);
}

#[test]
fn a_fleet_comes_back_from_the_branch() {
    let repo = TestRepository::new();
    let mut fleet = fleet_of(30, &host_signer());
    let mut branch = StatusBranch::open(&repo.bare(), status_key(&repo), None).unwrap();
    assert!(branch.load().unwrap().is_none());
    branch.commit(&render_status(&fleet, &ChangedHosts::All, NOW).unwrap(), "status: all", NOW).unwrap().unwrap();
    fleet.hosts.remove(&"host-9".parse().unwrap());
    let host = fleet.hosts.get_mut(&"host-7".parse().unwrap()).unwrap();
    let report = report_of(host.desired.as_ref().unwrap().content, 4..6);
    let _ = fold_report(host, 3, report, NOW);
    fold_conditions(&mut fleet, NOW);
    let tip =
        branch.commit(&render_status(&fleet, &ChangedHosts::All, NOW).unwrap(), "status: one", NOW).unwrap().unwrap();

    let reopened = StatusBranch::open(&repo.bare(), status_key(&repo), None).unwrap();
    assert_eq!((reopened.tip(), reopened.foreign_tip()), (Some(tip), None));
    let tree = reopened.load().unwrap().unwrap();
    let loaded = load_status(&fleet.fleet, &tree.files, NOW);
    assert!(loaded.refused.is_empty());
    assert_eq!(loaded.fleet.hosts.len(), 29);
    assert_eq!(loaded.fleet.hosts[&"host-7".parse().unwrap()].transitions.len(), 5);
    let again = render_status(&loaded.fleet, &ChangedHosts::All, NOW).unwrap();
    let mut branch = reopened;
    assert_eq!(branch.commit(&again, "status: same", NOW).unwrap(), None);
}

#[test]
fn a_month_starts_a_new_history() {
    let repo = TestRepository::new();
    let mut branch = StatusBranch::open(&repo.bare(), status_key(&repo), None).unwrap();
    // NOW is in May 2026.
    branch.commit(&files(&[("a", Some("1"))]), "status: may", NOW).unwrap();
    let may = branch.commit(&files(&[("b", Some("1"))]), "status: may", NOW.plus(DAY)).unwrap().unwrap();
    let june = branch.commit(&files(&[("b", Some("2"))]), "status: june", NOW.plus(DAY * 20)).unwrap().unwrap();
    assert_eq!(git(&repo, &["rev-list", "status"]), june.to_string());
    assert_eq!(git(&repo, &["rev-parse", "refs/muster/status/2026-05"]), may.to_string());
    assert_eq!(git(&repo, &["ls-tree", "--name-only", "status"]), "a\nb");
    // A clock that goes back does not start anew.
    let next = branch.commit(&files(&[("b", Some("3"))]), "status: back", NOW).unwrap().unwrap();
    assert_eq!(git(&repo, &["rev-list", "status"]), format!("{next}\n{june}"));
}

#[tokio::test]
async fn pushes_follow_and_a_new_disk_recovers() {
    let repo = TestRepository::new();
    let url: RemoteUrl = format!("file://{}", repo.bare().display()).parse().unwrap();
    let mirror = repo.path().join("mirror.git");
    init_bare_repository(&mirror).unwrap();
    let mut branch = StatusBranch::open(&mirror, status_key(&repo), Some(url.clone())).unwrap();
    branch.fetch().await.unwrap();
    branch.commit(&files(&[("a", Some("1"))]), "status: may", NOW).unwrap();
    branch.push(NOW).await.unwrap();
    let may = branch.commit(&files(&[("a", Some("2"))]), "status: may", NOW).unwrap().unwrap();
    branch.push(NOW).await.unwrap();
    assert_eq!(git(&repo, &["rev-parse", "status"]), may.to_string());
    // The new month moves the remote's branch backwards, and keeps the old.
    let june = branch.commit(&files(&[("a", Some("3"))]), "status: june", NOW.plus(DAY * 20)).unwrap().unwrap();
    branch.push(NOW).await.unwrap();
    assert_eq!(git(&repo, &["rev-parse", "status"]), june.to_string());
    assert_eq!(git(&repo, &["rev-parse", "refs/muster/status/2026-05"]), may.to_string());

    let fresh = repo.path().join("fresh.git");
    init_bare_repository(&fresh).unwrap();
    let mut recovered = StatusBranch::open(&fresh, status_key(&repo), Some(url)).unwrap();
    assert_eq!(recovered.tip(), None);
    recovered.fetch().await.unwrap();
    assert_eq!(recovered.tip(), Some(june));
    assert_eq!(recovered.load().unwrap().unwrap().files["a"], b"3");
}

#[tokio::test]
async fn a_remote_that_was_moved_by_others_is_overruled() {
    let repo = TestRepository::new();
    let url: RemoteUrl = format!("file://{}", repo.bare().display()).parse().unwrap();
    let mirror = repo.path().join("mirror.git");
    init_bare_repository(&mirror).unwrap();
    let mut branch = StatusBranch::open(&mirror, status_key(&repo), Some(url)).unwrap();
    branch.commit(&files(&[("a", Some("1"))]), "status", NOW).unwrap();
    branch.push(NOW).await.unwrap();
    repo.git(&["push", "-q", "--force", "origin", "main:status"]);
    let tip = branch.commit(&files(&[("a", Some("2"))]), "status", NOW).unwrap().unwrap();
    branch.push(NOW).await.unwrap();
    assert_eq!(git(&repo, &["rev-parse", "status"]), tip.to_string());
}

#[tokio::test]
async fn history_goes_on_where_the_remote_refuses_a_new_start() {
    let repo = TestRepository::new();
    let url: RemoteUrl = format!("file://{}", repo.bare().display()).parse().unwrap();
    let mirror = repo.path().join("mirror.git");
    init_bare_repository(&mirror).unwrap();
    let mut branch = StatusBranch::open(&mirror, status_key(&repo), Some(url)).unwrap();
    let may = branch.commit(&files(&[("a", Some("1"))]), "status: may", NOW).unwrap().unwrap();
    branch.push(NOW).await.unwrap();
    git(&repo, &["config", "receive.denyNonFastForwards", "true"]);
    let june = NOW.plus(DAY * 20);
    branch.commit(&files(&[("a", Some("2"))]), "status: june", june).unwrap();
    branch.push(june).await.unwrap();
    assert_eq!(git(&repo, &["rev-parse", "status^"]), may.to_string());
    assert_eq!(git(&repo, &["cat-file", "-p", "status:a"]), "2");
    // And it stays so.
    let july = june.plus(DAY * 31);
    branch.commit(&files(&[("a", Some("3"))]), "status: july", july).unwrap();
    branch.push(july).await.unwrap();
    assert_eq!(git(&repo, &["rev-list", "--count", "status"]), "3");
}

#[tokio::test]
async fn a_push_that_fails_says_so_and_is_made_up_for() {
    let repo = TestRepository::new();
    let url: RemoteUrl = format!("file://{}", repo.bare().display()).parse().unwrap();
    let mirror = repo.path().join("mirror.git");
    init_bare_repository(&mirror).unwrap();
    let mut branch = StatusBranch::open(&mirror, status_key(&repo), Some(url)).unwrap();
    let away = repo.path().join("away.git");
    fs::rename(repo.bare(), &away).unwrap();
    let tip = branch.commit(&files(&[("a", Some("1"))]), "status", NOW).unwrap().unwrap();
    // The future runs on the orchestrator's own tasks.
    let (mut branch, failed) = tokio::spawn(async move {
        let pushed = branch.push(NOW).await;
        (branch, pushed)
    })
    .await
    .unwrap();
    assert!(matches!(failed, Err(GitError::Failed { .. })));
    assert_eq!(branch.tip(), Some(tip));
    fs::rename(&away, repo.bare()).unwrap();
    branch.push(NOW).await.unwrap();
    assert_eq!(git(&repo, &["rev-parse", "status"]), tip.to_string());
}

#[tokio::test]
async fn packs_stay_few() {
    let repo = TestRepository::new();
    let mut branch = StatusBranch::open(&repo.bare(), status_key(&repo), None).unwrap();
    let commit = |branch: &mut StatusBranch, n: u32| {
        let content = n.to_string();
        branch.commit(&files(&[("README.md", Some(&content))]), "status", NOW).unwrap().unwrap()
    };
    let packs = repo.bare().join("objects/pack");
    for n in 0..64 {
        commit(&mut branch, n);
    }
    branch.unite_packs().await.unwrap();
    assert_eq!(count_files(&packs, "pack"), 64, "not yet");
    commit(&mut branch, 64);
    branch.unite_packs().await.unwrap();
    assert!(count_files(&packs, "pack") < 10, "{}", count_files(&packs, "pack"));
    let tip = commit(&mut branch, 65);
    git(&repo, &["fsck", "--strict", "--full"]);
    assert_eq!(git(&repo, &["rev-list", "--count", &tip.to_string()]), "66");
}

#[test]
fn writes_are_synced_before_the_branch_moves() {
    if Command::new("strace").arg("-V").output().is_err() {
        eprintln!("skipped: no strace");
        return;
    }
    // The test binary runs itself under strace, on the helper test below.
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let status = Command::new("strace")
        .args(["-f", "-y", "-e", "trace=fsync,fdatasync,rename,renameat,renameat2", "-o"])
        .arg(&log)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "io::git::tests::status_commits::commits_are_signed_and_git_takes_them", "--nocapture"])
        .output()
        .unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
    let log = fs::read_to_string(&log).unwrap();
    let moved = log.lines().position(|line| line.contains("rename") && line.contains("refs/heads/status")).unwrap();
    let synced: Vec<&str> = log.lines().take(moved).filter(|line| line.contains("sync(")).collect();
    for what in ["pack_git2_", "idx.lock", "objects/pack>", "status.lock"] {
        assert!(synced.iter().any(|line| line.contains(what)), "{what}: {synced:#?}");
    }
}

#[test]
fn commits_of_a_thousand_hosts_are_quick_and_small() {
    let repo = TestRepository::new();
    let mut fleet = fleet_of(1000, &host_signer());
    let mut branch = StatusBranch::open(&repo.bare(), status_key(&repo), None).unwrap();
    let all = timed("render 1,000", || render_status(&fleet, &ChangedHosts::All, NOW).unwrap());
    timed("commit 1,000", || branch.commit(&all, "status: all", NOW).unwrap().unwrap());
    let pack = repo.bare().join("objects/pack");
    let mut sizes = Vec::new();
    for n in 0..10_u64 {
        let before = folder_size(&pack);
        let id = format!("host-{}", n * 37).parse().unwrap();
        let host = fleet.hosts.get_mut(&id).unwrap();
        let report = report_of(host.desired.as_ref().unwrap().content, 4 + n..60 + n);
        let _ = fold_report(host, 3, report, NOW);
        fold_conditions(&mut fleet, NOW);
        timed("one host", || {
            let one = render_status(&fleet, &ChangedHosts::Some([id].into()), NOW).unwrap();
            branch.commit(&one, "status: one", NOW).unwrap().unwrap()
        });
        sizes.push(folder_size(&pack) - before);
    }
    eprintln!("growth per commit: {sizes:?} bytes");
    assert!(sizes.iter().all(|size| *size < 20_480), "{sizes:?}");
    let loaded = timed("load 1,000", || load_status(&fleet.fleet, &branch.load().unwrap().unwrap().files, NOW));
    assert_eq!(loaded.fleet.hosts.len(), 1000);
}

fn timed<T>(what: &str, act: impl FnOnce() -> T) -> T {
    let start = std::time::Instant::now();
    let result = act();
    eprintln!("{what}: {:?}", start.elapsed());
    result
}

fn folder_size(folder: &Path) -> u64 {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}
