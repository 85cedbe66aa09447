//! A thousand commits in a repository of two thousand files.

use std::time::Duration;

use git2::{Oid, Repository, Signature};
use ssh_key::{HashAlg, LineEnding, PrivateKey};

use super::{receipt, verify};
use crate::test_repository::TestRepository;
use crate::verify::verify_commits_after;

#[test]
fn verifies_a_thousand_commits_in_two_seconds() {
    let repo = TestRepository::new();
    for n in 0..2_000 {
        repo.write(&format!("environments/e{}/hosts/host-{n}.yaml", n % 4), &format!("labels: {{n: \"{n}\"}}\n"));
    }
    let anchor = repo.commit_as("alice", "two thousand hosts");
    let open = repo.open();
    let key = PrivateKey::read_openssh_file(&repo.key("alice")).unwrap();
    let mut head = anchor;
    for n in 0..1_000 {
        head = commit_one_file(&open, &key, head, &format!("n: {n}\n"));
    }

    let pinned = verify(&repo, anchor, anchor).unwrap();
    let next = commit_one_file(&open, &key, anchor, "n: 0\n");
    let start = cpu_time();
    verify_commits_after(&open, &pinned, next, receipt()).unwrap();
    eprintln!("verified one commit in {:?} of CPU time", cpu_time() - start);

    let start = cpu_time();
    let revision = verify(&repo, anchor, head).unwrap();
    let took = cpu_time() - start;
    assert_eq!(revision.commits().len(), 1_000);
    eprintln!("verified 1,000 commits in {took:?} of CPU time");
    // CPU time, because tests run beside other work. A build that is not
    // optimised may take three times as long.
    let bound = Duration::from_secs(if cfg!(debug_assertions) { 6 } else { 2 });
    assert!(took < bound, "{took:?}");
}

fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

fn commit_one_file(repo: &Repository, key: &PrivateKey, parent: Oid, content: &str) -> Oid {
    let parent = repo.find_commit(parent).unwrap();
    let blob = repo.blob(content.as_bytes()).unwrap();
    let mut update = git2::build::TreeUpdateBuilder::new();
    update.upsert("environments/e0/hosts/host-0.yaml", blob, git2::FileMode::Blob);
    let tree = repo.find_tree(update.create_updated(repo, &parent.tree().unwrap()).unwrap()).unwrap();
    let who = Signature::new("A", "a@example.com", &git2::Time::new(1_700_000_000, 0)).unwrap();
    let buffer = repo.commit_create_buffer(&who, &who, "change one\n", &tree, &[&parent]).unwrap();
    let text = std::str::from_utf8(&buffer).unwrap();
    let signature = key.sign("git", HashAlg::Sha512, text.as_bytes()).unwrap();
    repo.commit_signed(text, &signature.to_pem(LineEnding::LF).unwrap(), None).unwrap()
}
