//! A state repository made by real `git` and `ssh-keygen`, for tests.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use git2::{Oid, Repository};
use tempfile::TempDir;

/// Rules by which every signer may do everything.
pub(crate) const ACCESS: &str = "rules: [{who: [\"*\"], may: [all]}]\n";

/// A folder with a bare repository `state.git`, a clone `work`, and keys.
pub(crate) struct TestRepository {
    dir: TempDir,
}

impl TestRepository {
    /// A bare repository whose first commit, signed by `alice`, lists her as
    /// the only signer, and lets every signer do everything; `alice` and `mallory` have keys.
    pub(crate) fn new() -> Self {
        let repo = Self { dir: TempDir::new().unwrap() };
        repo.make_key("alice", &["-t", "ed25519"]);
        repo.make_key("mallory", &["-t", "ed25519"]);
        repo.run(
            Command::new("git").args(["init", "-q", "--bare", "-b", "main", "state.git"]).current_dir(repo.path()),
        );
        repo.run(Command::new("git").args(["clone", "-q", "state.git", "work"]).current_dir(repo.path()));
        repo.git(&["config", "gpg.format", "ssh"]);
        repo.git(&["checkout", "-q", "-b", "main"]);
        repo.write("policy/allowed_signers", &repo.signer_line("alice", ""));
        repo.write("policy/revoked_signers", "");
        repo.write("policy/access.yaml", ACCESS);
        repo.write("muster.yaml", "schema: 1\nfleet: test\n");
        repo.commit_as("alice", "first");
        repo
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn bare(&self) -> PathBuf {
        self.path().join("state.git")
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.path().join("work")
    }

    pub(crate) fn key(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn open(&self) -> Repository {
        Repository::open(self.work()).unwrap()
    }

    pub(crate) fn make_key(&self, name: &str, kind: &[&str]) {
        let key = self.key(name);
        self.run(Command::new("ssh-keygen").args(kind).args(["-q", "-N", "", "-C", name, "-f"]).arg(key));
    }

    pub(crate) fn public_key(&self, name: &str) -> String {
        fs::read_to_string(self.key(name).with_extension("pub")).unwrap().trim().to_owned()
    }

    /// A line of allowed_signers; `options` is empty or ends before the key.
    pub(crate) fn signer_line(&self, name: &str, options: &str) -> String {
        format!("{name}@example.com {options} {}\n", self.public_key(name))
    }

    pub(crate) fn write(&self, path: &str, content: &str) {
        let path = self.work().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Commits everything in the working tree, signed by `name`.
    pub(crate) fn commit_as(&self, name: &str, message: &str) -> Oid {
        let key = self.key(name);
        self.git(&["config", "user.signingKey", key.to_str().unwrap()]);
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-S", "-m", message]);
        self.head()
    }

    pub(crate) fn commit_unsigned(&self, message: &str) -> Oid {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "--no-gpg-sign", "-m", message]);
        self.head()
    }

    /// Merges `branch` into the current branch, signed by `name`.
    pub(crate) fn merge_as(&self, name: &str, branch: &str) -> Oid {
        let key = self.key(name);
        self.git(&["config", "user.signingKey", key.to_str().unwrap()]);
        self.git(&["merge", "-q", "--no-ff", "-S", "-m", "merge", branch]);
        self.head()
    }

    pub(crate) fn head(&self) -> Oid {
        Oid::from_str(&self.git(&["rev-parse", "HEAD"])).unwrap()
    }

    /// Runs git in the clone, and returns its trimmed output.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let output = self.run(Command::new("git").args(args).current_dir(self.work()));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Stores raw bytes as an object of any kind, however malformed.
    pub(crate) fn hash_object(&self, kind: &str, bytes: &[u8]) -> Oid {
        let mut child = self
            .prepared(Command::new("git").args(["hash-object", "-t", kind, "--literally", "-w", "--stdin"]))
            .current_dir(self.work())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(bytes).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        Oid::from_str(String::from_utf8(output.stdout).unwrap().trim()).unwrap()
    }

    /// Signs bytes with `ssh-keygen -Y sign`, and returns the armour.
    pub(crate) fn sign(&self, name: &str, namespace: &str, bytes: &[u8]) -> String {
        let file = self.path().join("to-sign");
        fs::write(&file, bytes).unwrap();
        let _ = fs::remove_file(file.with_extension("sig"));
        self.run(
            Command::new("ssh-keygen").args(["-q", "-Y", "sign", "-n", namespace, "-f"]).arg(self.key(name)).arg(&file),
        );
        fs::read_to_string(self.path().join("to-sign.sig")).unwrap()
    }

    /// A commit object without a signature, on top of `parents`.
    pub(crate) fn raw_commit(&self, tree: &str, parents: &[Oid], extra_headers: &str, message: &str) -> Vec<u8> {
        let parents: String = parents.iter().map(|parent| format!("parent {parent}\n")).collect();
        let who = "A <a@example.com> 1700000000 +0000";
        format!("tree {tree}\n{parents}author {who}\ncommitter {who}\n{extra_headers}\n{message}").into_bytes()
    }

    /// Signs a raw commit as git does, and stores it.
    pub(crate) fn store_signed(&self, name: &str, namespace: &str, raw: &[u8]) -> Oid {
        let armour = self.sign(name, namespace, raw);
        self.hash_object("commit", &insert_signature(raw, &[&armour]))
    }

    fn run(&self, command: &mut Command) -> Output {
        let output = self.prepared(command).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// No identity or setting of the machine leaks into a test.
    fn prepared<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .env("HOME", self.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "A")
            .env("GIT_AUTHOR_EMAIL", "a@example.com")
            .env("GIT_COMMITTER_NAME", "A")
            .env("GIT_COMMITTER_EMAIL", "a@example.com")
    }
}

/// Puts signature headers behind the other headers of a raw commit.
pub(crate) fn insert_signature(raw: &[u8], armours: &[&str]) -> Vec<u8> {
    let text = std::str::from_utf8(raw).unwrap();
    let (headers, message) = text.split_once("\n\n").unwrap();
    let signatures: String =
        armours.iter().map(|armour| format!("gpgsig {}\n", armour.trim_end().replace('\n', "\n "))).collect();
    format!("{headers}\n{signatures}\n{message}").into_bytes()
}
