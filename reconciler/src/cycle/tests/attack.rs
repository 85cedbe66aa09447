//! Attacks by pushes, through the whole cycle: nothing that is published or kept changes, the condition `Verified` says
//! why, and the next good push is taken.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use git2::Oid;

use super::*;
use crate::test_repository::insert_signature;

/// Every file below a folder.
fn files_below(folder: &Path, into: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            files_below(&entry, into);
        } else {
            into.insert(entry.clone(), std::fs::read(&entry).unwrap());
        }
    }
}

fn published(fleet: &Fleet) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    files_below(fleet.orchestrator.tree().top(), &mut files);
    let anchor = fleet.repo.path().join("data/anchor");
    files.insert(anchor.clone(), std::fs::read(&anchor).unwrap());
    files
}

fn force(repo: &TestRepository, tip: Oid) {
    repo.git(&["push", "-q", "--force", "origin", &format!("{tip}:refs/heads/main")]);
}

/// Has the commit that `attack` makes pushed with force on a fleet that is right.
fn refused(code: &str, attack: impl FnOnce(&TestRepository) -> Oid) {
    let mut fleet = Fleet::start();
    fleet.orchestrator.reconcile().unwrap();
    fleet.rename("a");
    let (before, good) = (published(&fleet), fleet.repo.head());

    let tip = attack(&fleet.repo);
    force(&fleet.repo, tip);
    for _ in 0..2 {
        assert_eq!(fleet.orchestrator.reconcile().unwrap(), [], "{code}");
        let verified = fleet.orchestrator.state().fleet().condition("Verified").cloned().unwrap();
        assert_eq!((verified.reason.as_str(), verified.observed_revision.unwrap().as_str()), (code, &*tip.to_string()));
        assert!(published(&fleet) == before, "{code}: something was published");
    }
    fleet.repo.git(&["checkout", "-q", "-B", "main", &good.to_string()]);
    force(&fleet.repo, good);
    fleet.push("next");
    assert_eq!(fleet.orchestrator.reconcile().unwrap(), [id()], "{code}: the next good push");
}

#[test]
fn a27_an_unsigned_commit_under_a_signed_head() {
    refused("UnsignedCommit", |repo| {
        repo.commit_unsigned("unsigned");
        repo.commit_as("alice", "signed on top")
    });
}

#[test]
fn a29_a_commit_that_leaves_out_the_revocations() {
    refused("PolicyMissing", |repo| {
        repo.git(&["rm", "-q", "policy/revoked_signers"]);
        repo.commit_as("alice", "no revocations")
    });
}

#[test]
fn a30_a_commit_that_lists_its_own_signer() {
    refused("UnknownSigner", |repo| {
        repo.write("policy/allowed_signers", &(repo.signer_line("alice", "") + &repo.signer_line("mallory", "")));
        repo.commit_as("mallory", "list myself")
    });
}

#[test]
fn a33_a_second_signature() {
    refused("DoubleSignature", |repo| {
        let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
        let raw = repo.raw_commit(&tree, &[repo.head()], "", "two signatures\n");
        let [alice, mallory] = ["alice", "mallory"].map(|name| repo.sign(name, "git", &raw));
        repo.hash_object("commit", &insert_signature(&raw, &[&mallory, &alice]))
    });
}

#[test]
fn a35_a_force_push_to_an_old_signed_commit() {
    refused("NotDescendant", |repo| repo.git(&["rev-parse", "HEAD^"]).parse().unwrap());
}

#[test]
fn a35_an_unsigned_push_does_not_move_the_anchor() {
    refused("UnsignedCommit", |repo| {
        repo.write("environments/lab/environment.yaml", "resources: {}\n");
        repo.commit_unsigned("slip in")
    });
}

#[test]
fn a46_a_signer_who_was_removed() {
    refused("UnknownSigner", |repo| {
        let alice = repo.signer_line("alice", "");
        repo.write("policy/allowed_signers", &(alice.clone() + &repo.signer_line("mallory", "")));
        repo.commit_as("alice", "list mallory");
        repo.write("policy/allowed_signers", &alice);
        repo.commit_as("alice", "remove mallory");
        repo.commit_as("mallory", "still here")
    });
}

#[test]
fn a36_a_signature_of_namespace_file() {
    refused("WrongNamespace", |repo| {
        let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
        let raw = repo.raw_commit(&tree, &[repo.head()], "", "as a file\n");
        repo.store_signed("alice", "file", &raw)
    });
}

#[test]
fn a37_a_submodule() {
    refused("Submodule", |repo| {
        let head = repo.head().to_string();
        repo.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{head},sub")]);
        repo.git(&["config", "user.signingKey", repo.key("alice").to_str().unwrap()]);
        repo.git(&["commit", "-q", "-S", "-m", "submodule"]);
        repo.head()
    });
}

#[test]
fn a37_a_link_to_a_file_of_the_machine() {
    refused("LinkLeavesTree", |repo| {
        std::os::unix::fs::symlink("/etc/shadow", repo.work().join("shadow")).unwrap();
        let tip = repo.commit_as("alice", "a link");
        std::fs::remove_file(repo.work().join("shadow")).unwrap();
        tip
    });
}
