//! Commits of our own are taken by real git, and by our verification.

use std::collections::BTreeMap;
use std::fs;

use muster_schema::Timestamp;
use ssh_key::PrivateKey;

use crate::io::git::{CommitAuthor, GitError, SshKeygenSigner, commit_signed, open_repository};
use crate::test_repository::TestRepository;
use crate::verify::{NothingRendered, Terms, verify_commits};

const NOW: Timestamp = Timestamp(1_780_000_000_123);

/// Paths with their new contents.
type Changes<'a> = &'a [(&'a str, Option<&'a str>)];

fn author() -> CommitAuthor {
    CommitAuthor { name: "Alice".into(), email: "alice@example.com".into(), time: NOW }
}

fn edits(list: Changes<'_>) -> BTreeMap<String, Option<Vec<u8>>> {
    list.iter().map(|(path, content)| ((*path).to_owned(), content.map(|text| text.as_bytes().to_vec()))).collect()
}

#[test]
fn git_and_we_verify_what_we_sign() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    let open = open_repository(&repo.work()).unwrap();
    let key = PrivateKey::read_openssh_file(&repo.key("alice")).unwrap();
    let changes = edits(&[("environments/production/hosts/web-1.yaml", Some("labels: {}\n")), ("muster.yaml", None)]);
    let first = commit_signed(&open, "main", Some(anchor), &changes, "host: Approve web-1", &author(), &key).unwrap();
    let program = SshKeygenSigner { key: repo.key("alice") };
    let second =
        commit_signed(&open, "main", Some(first), &edits(&[("x", Some("1"))]), "second", &author(), &program).unwrap();

    assert_eq!(repo.git(&["rev-parse", "main"]), second.to_string());
    let allowed = repo.path().join("allowed");
    fs::write(&allowed, repo.signer_line("alice", "")).unwrap();
    let setting = format!("gpg.ssh.allowedSignersFile={}", allowed.display());
    for commit in [first, second] {
        repo.git(&["-c", &setting, "verify-commit", &commit.to_string()]);
    }
    let fleet = "test".parse().unwrap();
    let terms = Terms { receipt: NOW, fleet: &fleet, reference: "refs/heads/main", effects: &NothingRendered };
    let revision = verify_commits(&open, anchor, second, &terms).unwrap();
    assert_eq!(revision.commits().len(), 2);

    // The work tree, which has main checked out, follows.
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    assert!(repo.work().join("environments/production/hosts/web-1.yaml").exists());
    assert!(!repo.work().join("muster.yaml").exists());
    assert_eq!(
        repo.git(&["log", "-1", "--format=%an %ae %ct %s", &first.to_string()]),
        "Alice alice@example.com 1780000000 host: Approve web-1"
    );
}

#[test]
fn refuses_a_branch_that_moved() {
    let repo = TestRepository::new();
    let old = repo.head();
    let new = repo.commit_as("alice", "meanwhile");
    let open = open_repository(&repo.work()).unwrap();
    let key = PrivateKey::read_openssh_file(&repo.key("alice")).unwrap();
    let change = edits(&[("x", Some("1"))]);
    for parent in [Some(old), None] {
        let error = commit_signed(&open, "main", parent, &change, "late", &author(), &key).unwrap_err();
        assert!(matches!(error, GitError::Moved { .. }), "{error}");
    }
    assert_eq!(repo.head(), new);
}

#[test]
fn refuses_to_overwrite_uncommitted_changes() {
    let repo = TestRepository::new();
    let open = open_repository(&repo.work()).unwrap();
    let key = PrivateKey::read_openssh_file(&repo.key("alice")).unwrap();
    repo.write("muster.yaml", "mine\n");
    let change = edits(&[("muster.yaml", Some("1"))]);
    let error = commit_signed(&open, "main", Some(repo.head()), &change, "m", &author(), &key).unwrap_err();
    assert!(matches!(error, GitError::Dirty { .. }), "{error}");
    // Another file is not in the way.
    commit_signed(&open, "main", Some(repo.head()), &edits(&[("other", Some("1"))]), "m", &author(), &key).unwrap();
    assert_eq!(fs::read_to_string(repo.work().join("muster.yaml")).unwrap(), "mine\n");
}

#[test]
fn edits_trees_by_path() {
    let repo = TestRepository::new();
    repo.write("a/b/one", "1");
    repo.write("run", "#!/bin/sh\n");
    repo.git(&["add", "-A"]);
    repo.git(&["update-index", "--chmod=+x", "run"]);
    repo.git(&["checkout-index", "-f", "run"]);
    repo.git(&["config", "core.fileMode", "true"]);
    let mut at = repo.commit_as("alice", "files");
    let open = open_repository(&repo.work()).unwrap();
    let key = PrivateKey::read_openssh_file(&repo.key("alice")).unwrap();
    let list = |at: git2::Oid| repo.git(&["ls-tree", "-r", "--format=%(objectmode) %(path)", &at.to_string()]);

    let steps: [(Changes<'_>, &str); 5] = [
        (
            &[("a/b/one", None), ("a/b/absent", None), ("absent/too", None)],
            "100644 muster.yaml\n100644 policy/access.yaml\n100644 policy/allowed_signers\n100644 policy/revoked_signers\n100755 run",
        ),
        (
            &[("run", Some("#!/bin/true\n"))],
            "100644 muster.yaml\n100644 policy/access.yaml\n100644 policy/allowed_signers\n100644 policy/revoked_signers\n100755 run",
        ),
        (
            &[("run", None), ("run/inner", Some("x"))],
            "100644 muster.yaml\n100644 policy/access.yaml\n100644 policy/allowed_signers\n100644 policy/revoked_signers\n100644 run/inner",
        ),
        (
            &[
                ("run/inner", None),
                ("policy/access.yaml", None),
                ("policy/allowed_signers", None),
                ("policy/revoked_signers", None),
            ],
            "100644 muster.yaml",
        ),
        (&[("muster.yaml", None)], ""),
    ];
    for (step, expect) in steps {
        at = commit_signed(&open, "main", Some(at), &edits(step), "step", &author(), &key).unwrap();
        assert_eq!(list(at), expect);
    }
    for path in ["", "/abs", "a//b", "../x", "a/.git/config", ".git", "a/.."] {
        let error = commit_signed(&open, "main", Some(at), &edits(&[(path, Some("x"))]), "bad", &author(), &key);
        assert!(matches!(error, Err(GitError::BadPath { .. } | GitError::Read { .. })), "{path}: {error:?}");
    }
    let orphan = commit_signed(&open, "other", None, &edits(&[("x", Some("1"))]), "first", &author(), &key).unwrap();
    assert_eq!(repo.git(&["rev-list", "--count", "other"]), "1");
    assert_eq!(repo.git(&["rev-parse", "other"]), orphan.to_string());
}
