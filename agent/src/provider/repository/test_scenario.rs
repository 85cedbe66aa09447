//! What repositories have to stand, told once and run with every real package manager on a copy of this machine.

#![allow(clippy::disallowed_methods)]

use crate::provider::apt::test_archive::run;
use crate::resource::test_converger::{converge, converge_wholly, keep_blob, outcome_of};
use muster_schema::state::ResourceState;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::{fs, str};

/// A key that gpg made.
pub(crate) struct TestKey {
    pub(crate) home: String,
    pub(crate) fingerprint: String,
    pub(crate) armored: Vec<u8>,
}

impl TestKey {
    /// Makes one, in a folder of its own.
    pub(crate) fn make(home: &str) -> TestKey {
        fs::create_dir_all(home).expect("made");
        fs::set_permissions(home, fs::Permissions::from_mode(0o700)).expect("set");
        let gpg = |arguments: &[&str]| {
            let output = Command::new("gpg").args(["--homedir", home, "--batch"]).args(arguments).output();
            let output = output.expect("gpg");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            output.stdout
        };
        gpg(&["--passphrase", "", "--quick-generate-key", "test <test@example.org>", "rsa2048", "sign", "never"]);
        let listed = gpg(&["--with-colons", "--list-keys"]);
        let listed = str::from_utf8(&listed).expect("text");
        let line = listed.lines().find(|line| line.starts_with("fpr:")).expect("a fingerprint");
        let fingerprint = line.split(':').nth(9).expect("a fingerprint").to_owned();
        TestKey { home: home.to_owned(), fingerprint, armored: gpg(&["--armor", "--export"]) }
    }

    /// Signs a file, by `--clearsign` or `--detach-sign`.
    pub(crate) fn sign(&self, arguments: &[&str], file: &str, signature: &str) {
        let gpg = ["--homedir", &self.home, "--batch", "--yes", "--output", signature];
        run(Command::new("gpg").args(gpg).args(arguments).arg(file));
    }

    /// Attributes with this key.
    pub(crate) fn with(&self, place: &Value) -> Value {
        with(place, json!({"key": keep_blob(&self.armored), "fingerprint": self.fingerprint}))
    }
}

fn with(place: &Value, more: Value) -> Value {
    let mut attributes = place.clone();
    let both = attributes.as_object_mut().expect("a map");
    both.extend(more.as_object().expect("a map").clone());
    attributes
}

/// What stands in these folders and files: mode, owner and bytes by path.
pub(crate) fn look(places: &[&str]) -> BTreeMap<String, (u32, u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    for place in places {
        add(Path::new(place), &mut found);
    }
    found
}

fn add(path: &Path, found: &mut BTreeMap<String, (u32, u32, Vec<u8>)>) {
    let Ok(meta) = fs::symlink_metadata(path) else { return };
    // Locks are left behind by whoever held one; keyrings change by being read.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if matches!(&*name, "lock" | "partial" | "gnupg") {
        return;
    }
    let bytes = if meta.is_file() { fs::read(path).expect("read") } else { Vec::new() };
    found.insert(path.display().to_string(), (meta.mode(), meta.uid(), bytes));
    if meta.is_dir() {
        for entry in fs::read_dir(path).expect("a folder") {
            add(&entry.expect("an entry").path(), found);
        }
    }
}

/// `place` says where a repository signed by `key` is, which alone has the package `probe`; `installed` asks for the
/// version of that; `places` are what comes back when it leaves.
pub(crate) fn run_repository(key: &TestKey, place: &Value, installed: &dyn Fn() -> Option<String>, places: &[&str]) {
    let other = TestKey::make("/tmp/other-key");
    let found = look(places);
    let refused = [
        (with(&key.with(place), json!({"fingerprint": other.fingerprint})), &*key.fingerprint),
        (with(&other.with(place), json!({"fingerprint": key.fingerprint})), &*other.fingerprint),
        (place.clone(), "trusted: true"),
        (with(&key.with(place), json!({"trusted": true})), "more than one"),
    ];
    for (attributes, reason) in refused {
        let outcomes = converge(&json!({"repositories/probe": attributes}));
        let outcome = outcome_of(&outcomes, "repositories/probe");
        assert_eq!(outcome.state, Some(ResourceState::Blocked), "{outcome:?}");
        assert!(outcome.message.contains(reason), "{outcome:?}");
        assert_eq!(look(places), found, "{outcome:?}");
    }
    let audited = with(&key.with(place), json!({"meta": {"mode": "audit"}}));
    let outcomes = converge(&json!({"repositories/probe": audited}));
    assert_eq!(outcome_of(&outcomes, "repositories/probe").state, Some(ResourceState::NonCompliant), "{outcomes:?}");
    assert_eq!(look(places), found);

    // The package is to be had in the same pass.
    let wanted = json!({"repositories/probe": key.with(place), "packages/probe": {}});
    converge_wholly(&wanted);
    assert!(installed().is_some());
    let settled = look(places);
    let is_own = |path: &&String| path.contains("probe") && !path.starts_with("/var/");
    for path in settled.keys().filter(is_own) {
        fs::write(path, "# somebody's\n").expect("written");
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("set");
        converge_wholly(&wanted);
        assert_eq!(look(&[path]), settled.iter().filter(|(one, _)| *one == path).map(clone).collect());
    }
    // One that cannot be had is no repository, and the one that was there is as before.
    let gone = with(&key.with(place), json!({"url": "file:///nowhere"}));
    let before = look(places);
    let outcomes = converge(&json!({"repositories/probe": gone, "packages/probe": {}}));
    let outcome = outcome_of(&outcomes, "repositories/probe");
    assert_eq!(outcome.state, Some(ResourceState::Error), "{outcome:?}");
    assert_eq!(look(places), before);

    converge_wholly(&json!({}));
    assert_eq!(installed(), None);
    assert_eq!(look(places), found);
}

/// What is signed by another key than the repository says is not installed, and leaves nothing behind.
pub(crate) fn run_foreign_signature(place: &Value, installed: &dyn Fn() -> Option<String>, places: &[&str]) {
    let found = look(places);
    let other = TestKey::make("/tmp/foreign-key");
    refuse_package(&other.with(place), installed);
    assert_eq!(look(places), found);
}

/// The package is not installed from there, and the repository goes again.
pub(crate) fn refuse_package(repository: &Value, installed: &dyn Fn() -> Option<String>) {
    let outcomes = converge(&json!({"repositories/probe": repository, "packages/probe": {}}));
    assert_eq!(outcome_of(&outcomes, "packages/probe").state, Some(ResourceState::Error), "{outcomes:?}");
    assert_eq!(installed(), None);
    converge(&json!({}));
}

fn clone((path, file): (&String, &(u32, u32, Vec<u8>))) -> (String, (u32, u32, Vec<u8>)) {
    (path.clone(), file.clone())
}
