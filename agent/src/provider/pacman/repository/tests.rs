#![allow(clippy::disallowed_methods)]

use crate::provider::apt::test_archive::run;
use crate::provider::package::test_scenario::TestArchive;
use crate::provider::pacman::test_archive::PacmanArchive;
use crate::provider::repository::test_scenario::{TestKey, refuse_package, run_repository};
use crate::test_machine::enter_with;
use serde_json::json;
use std::fs;
use std::process::Command;

const NEEDS: [&str; 5] =
    ["/usr/bin/pacman", "/usr/bin/pacman-key", "/usr/bin/repo-add", "/usr/bin/bsdtar", "/usr/bin/gpg"];
const FOLDER: &str = "/var/cache/archive";

#[test]
fn a_repository_comes_before_its_packages_and_goes_after_them() {
    let test = "provider::pacman::repository::tests::a_repository_comes_before_its_packages_and_goes_after_them";
    if !enter_with(&NEEDS, test) {
        return;
    }
    let key = TestKey::make("/tmp/key");
    let mut archive = PacmanArchive::new();
    archive.add("probe", "1.0-1", &[]);
    fs::rename(format!("{FOLDER}/archive.db.tar.gz"), format!("{FOLDER}/probe.db")).expect("renamed");
    fs::write("/etc/pacman.conf", "[options]\nArchitecture = auto\nSigLevel = Required\n").expect("written");
    fs::create_dir_all("/etc/pacman.d").expect("made");
    fs::create_dir_all("/var/lib/pacman/sync").expect("made");
    run(Command::new("pacman-key").arg("--init"));
    let knows = || Command::new("pacman-key").args(["--list-keys", &key.fingerprint]).output().expect("runs");
    let place = json!({"url": format!("file://{FOLDER}")});
    let places = ["/etc/pacman.conf", "/etc/pacman.d", "/var/lib/pacman/sync"];
    // A signature by a key that it does not know ends Debian's pacman by a fault in its own memory; none does not.
    refuse_package(&key.with(&place), &|| archive.installed("probe"));
    assert!(!knows().status.success(), "the key went with it");
    let package = format!("{FOLDER}/probe-1.0-1-any.pkg.tar.gz");
    key.sign(&["--detach-sign"], &package, &format!("{package}.sig"));
    run_repository(&key, &place, &|| archive.installed("probe"), &places);
    assert!(!knows().status.success(), "the key went with it");
}
