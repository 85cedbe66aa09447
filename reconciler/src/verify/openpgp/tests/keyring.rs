//! A keyring of real `gpg`, in the home folder of a test's repository.
#![allow(clippy::disallowed_methods, reason = "runs gpg")]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use git2::Oid;

use crate::test_repository::TestRepository;

/// A moment as gpg takes it, before the receipt of these tests.
pub(super) const THEN: &str = "20260501T000000";
/// A little later: to gpg, a key that was made in the same second may be of the future.
pub(super) const SIGNED: &str = "20260501T010000";

pub(super) struct Keyring<'repo> {
    repo: &'repo TestRepository,
    home: PathBuf,
}

impl<'repo> Keyring<'repo> {
    pub(super) fn new(repo: &'repo TestRepository) -> Self {
        let home = repo.path().join(".gnupg");
        fs::DirBuilder::new().mode(0o700).create(&home).unwrap();
        Self { repo, home }
    }

    /// A keyring with the same keys, to change what this one is to keep.
    pub(super) fn copy(&self) -> Self {
        let home = self.repo.path().join("copy");
        copy_folder(&self.home, &home);
        Self { repo: self.repo, home }
    }

    /// A key that certifies and signs, from `THEN` on; its fingerprint.
    pub(super) fn make(&self, name: &str) -> String {
        self.make_at(THEN, name, "ed25519", "sign", "never")
    }

    pub(super) fn make_at(&self, time: &str, name: &str, kind: &str, usage: &str, expires: &str) -> String {
        let user = format!("{name} <{name}@example.com>");
        self.gpg(time, &["--quick-generate-key", &user, kind, usage, expires], "");
        self.fingerprints(name).swap_remove(0)
    }

    /// Adds a subkey; its fingerprint.
    pub(super) fn add_subkey(&self, key: &str, usage: &str, expires: &str) -> String {
        self.gpg(THEN, &["--quick-add-key", key, "ed25519", usage, expires], "");
        self.fingerprints(key).pop().unwrap()
    }

    /// Fingerprints of a certificate: the primary key's, then those of its subkeys.
    pub(super) fn fingerprints(&self, name: &str) -> Vec<String> {
        let listed = String::from_utf8(self.gpg(THEN, &["--with-colons", "--list-keys", name], "")).unwrap();
        listed.lines().filter_map(|line| line.strip_prefix("fpr:")?.split(':').nth(8).map(str::to_owned)).collect()
    }

    pub(super) fn export(&self, key: &str) -> String {
        String::from_utf8(self.gpg(THEN, &["--armor", "--export", key], "")).unwrap()
    }

    /// Puts the certificate of `key` into the repository, for `name`.
    pub(super) fn list(&self, name: &str, key: &str) {
        self.repo.write(&format!("policy/openpgp/{name}.asc"), &self.export(key));
    }

    /// `git commit -S` with the very key of this fingerprint, signed at `time`.
    pub(super) fn commit_at(&self, time: &str, key: &str, message: &str) -> Oid {
        self.commit_with(&format!("--faked-system-time={time}"), key, message)
    }

    pub(super) fn commit(&self, key: &str, message: &str) -> Oid {
        self.commit_at(SIGNED, key, message)
    }

    /// A program that is gpg with this keyring and these options.
    pub(super) fn program(&self, options: &str) -> PathBuf {
        let (program, home) = (self.repo.path().join("gpg-with-options"), self.home.display());
        let script = format!("#!/bin/sh\nGNUPGHOME='{home}' exec gpg --no-permission-warning {options} \"$@\"\n");
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        program
    }

    pub(super) fn commit_with(&self, options: &str, key: &str, message: &str) -> Oid {
        let program = self.program(options);
        self.repo.git(&["add", "-A"]);
        let (program, key) = (format!("gpg.program={}", program.display()), format!("user.signingKey={key}!"));
        let settings = ["-c", "gpg.format=openpgp", "-c", &program, "-c", &key];
        self.repo.git(&[&settings[..], &["commit", "-q", "--allow-empty", "-S", "-m", message]].concat());
        self.repo.head()
    }

    /// The armoured signature of `key` over `bytes`, as git has gpg make it.
    pub(super) fn sign(&self, key: &str, bytes: &[u8]) -> String {
        let signed = self.gpg(SIGNED, &["-bsau", &format!("{key}!")], std::str::from_utf8(bytes).unwrap());
        String::from_utf8(signed).unwrap()
    }

    /// Runs `gpg --edit-key` with these answers.
    pub(super) fn edit(&self, key: &str, answers: &str) {
        let arguments = ["--no-batch", "--no-tty", "--command-fd", "0", "--edit-key", key];
        self.gpg("20260502T000000", &arguments, answers);
    }

    /// Runs gpg as at `time`, with `input`; its output.
    pub(super) fn gpg(&self, time: &str, arguments: &[&str], input: &str) -> Vec<u8> {
        let mut child = Command::new("gpg")
            .args(["--batch", "--yes", "--quiet", "--no-permission-warning", "--passphrase", "", "--pinentry-mode"])
            .args(["loopback", "--faked-system-time", time])
            .args(arguments)
            .env("GNUPGHOME", &self.home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "gpg {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }
}

impl Drop for Keyring<'_> {
    /// Ends the agent that gpg started for this keyring.
    fn drop(&mut self) {
        let _ = Command::new("gpgconf").args(["--kill", "gpg-agent"]).env("GNUPGHOME", &self.home).status();
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::DirBuilder::new().mode(0o700).create(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            copy_folder(&entry.path(), &to.join(entry.file_name()));
        } else if kind.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}
