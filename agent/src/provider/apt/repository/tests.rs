#![allow(clippy::disallowed_methods)]

use super::AptRepositories;
use crate::provider::apt::test_archive::{Archive, installed, run};
use crate::provider::repository::RepositoryForm;
use crate::provider::repository::test_scenario::{TestKey, run_foreign_signature, run_repository};
use crate::resource::test_converger::{converge, outcome_of};
use crate::test_machine::enter_with;
use muster_schema::state::ResourceState;
use serde_json::json;
use std::fs;
use std::process::Command;

const FOLDER: &str = "/var/cache/archive";
const NEEDS: [&str; 2] = ["/usr/bin/gpg", "/usr/bin/apt-ftparchive"];

#[test]
fn a_source_is_deb822_with_a_key_of_its_own_and_a_pin() {
    let spec = serde_json::from_value(json!({
        "urls": ["https://a.example/debian", "https://user@b.example:8080/debian"], "suites": ["bookworm"],
        "components": ["main", "extra"], "architectures": ["amd64"], "enabled": false, "priority": 700,
        "key": {"sha256": "0".repeat(64), "size": 1}, "fingerprint": "9dc8 5822",
    }));
    let rendered = AptRepositories.render("docker", &spec.expect("a spec"));
    assert_eq!(
        rendered.file,
        "# Managed by muster: changes here are taken back.\n# Key: 9DC85822\nTypes: deb\n\
         URIs: https://a.example/debian https://user@b.example:8080/debian\nSuites: bookworm\n\
         Components: main extra\nArchitectures: amd64\nSigned-By: /etc/apt/keyrings/docker.asc\nEnabled: no\n"
    );
    assert_eq!(
        rendered.preferences.as_deref(),
        Some(
            "# Managed by muster: changes here are taken back.\n\n\
             Package: *\nPin: origin \"a.example\"\nPin-Priority: 700\n\n\
             Package: *\nPin: origin \"b.example\"\nPin-Priority: 700\n"
        )
    );
}

/// Somewhere in the file system, with a package `probe`; apt knows nothing of it.
fn make_archive(key: &TestKey) {
    let mut archive = Archive::new();
    archive.add("probe", "1.0", "");
    fs::remove_file("/etc/apt/sources.list.d/archive.list").expect("removed");
    let release = Command::new("apt-ftparchive").args(["release", "."]).current_dir(FOLDER).output().expect("runs");
    fs::write("/tmp/Release", release.stdout).expect("written");
    key.sign(&["--clearsign"], "/tmp/Release", &format!("{FOLDER}/InRelease"));
    run(Command::new("apt-get").args(["-qq", "update"]));
}

#[test]
fn a_repository_comes_before_its_packages_and_goes_after_them() {
    if !enter_with(
        &NEEDS,
        "provider::apt::repository::tests::a_repository_comes_before_its_packages_and_goes_after_them",
    ) {
        return;
    }
    let key = TestKey::make("/tmp/key");
    make_archive(&key);
    let place = json!({"url": format!("file:{FOLDER}"), "suites": ["./"], "priority": 700});
    let places = ["/etc/apt", "/var/lib/apt/lists"];
    run_foreign_signature(&place, &|| installed("probe"), &places);
    run_repository(&key, &place, &|| installed("probe"), &places);
}

#[test]
fn what_would_stop_apt_or_is_not_signed_does_not_stay() {
    if !enter_with(&NEEDS, "provider::apt::repository::tests::what_would_stop_apt_or_is_not_signed_does_not_stay") {
        return;
    }
    let key = TestKey::make("/tmp/key");
    make_archive(&key);
    // Somebody else has the same archive with another key: apt reads neither.
    let theirs = "/etc/apt/sources.list.d/theirs.list";
    fs::write(theirs, format!("deb [signed-by=/tmp/theirs.asc] file:{FOLDER} ./\n")).expect("written");
    let place = json!({"url": format!("file:{FOLDER}"), "suites": ["./"]});
    let outcomes = converge(&json!({"repositories/probe": key.with(&place)}));
    let outcome = outcome_of(&outcomes, "repositories/probe");
    assert_eq!(outcome.state, Some(ResourceState::Error), "{outcome:?}");
    assert!(outcome.message.contains("Signed-By"), "{outcome:?}");
    run(Command::new("apt-get").arg("indextargets"));
    fs::remove_file(theirs).expect("removed");

    fs::remove_file(format!("{FOLDER}/InRelease")).expect("removed");
    let outcomes = converge(&json!({"repositories/probe": key.with(&place), "packages/probe": {}}));
    assert_eq!(outcome_of(&outcomes, "repositories/probe").state, Some(ResourceState::Error), "{outcomes:?}");
    assert!(!std::path::Path::new("/etc/apt/sources.list.d/probe.sources").exists());
    assert_eq!(installed("probe"), None);
    let trusted = json!({"url": format!("file:{FOLDER}"), "suites": ["./"], "trusted": true});
    let outcomes = converge(&json!({"repositories/probe": trusted, "packages/probe": {}}));
    assert_eq!(installed("probe").as_deref(), Some("1.0"), "{outcomes:?}");
}
