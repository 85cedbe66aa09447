use crate::provider::package::test_scenario::{TestArchive, run_life, run_versions};
use crate::provider::rpm::test_archive::RpmArchive;
use crate::resource::test_converger::converge_wholly;
use crate::test_machine::enter_with;
use serde_json::json;

const NEEDS: [&str; 3] = ["/usr/bin/zypper", "/usr/bin/rpmbuild", "/usr/bin/createrepo_c"];
const LEAP: &str = "ID=opensuse-leap\nID_LIKE=\"suse opensuse\"\nVERSION_ID=15.5\n";
const PROGRAM: &[&str] = &["zypper", "--non-interactive", "--quiet"];

#[test]
fn packages_live_and_go() {
    if enter_with(&NEEDS, "provider::zypper::tests::packages_live_and_go") {
        run_life(&mut RpmArchive::new(LEAP, PROGRAM));
    }
}

#[test]
fn versions_move_as_told() {
    if enter_with(&NEEDS, "provider::zypper::tests::versions_move_as_told") {
        run_versions(&mut RpmArchive::new(LEAP, PROGRAM));
    }
}

/// zypper has one architecture of a name at a time, and the id says which one.
#[test]
fn a_foreign_architecture_takes_turns_with_the_host_s_own() {
    let test = "provider::zypper::tests::a_foreign_architecture_takes_turns_with_the_host_s_own";
    if !cfg!(target_arch = "x86_64") || !enter_with(&NEEDS, test) {
        return;
    }
    let archive = RpmArchive::of_two_architectures(LEAP, PROGRAM);
    let installed = || ["probe.x86_64", "probe.i686"].map(|name| archive.installed(name).is_some());
    converge_wholly(&json!({"packages/probe:i686": {}}));
    assert_eq!(installed(), [false, true]);
    converge_wholly(&json!({"packages/probe": {}}));
    assert_eq!(installed(), [true, false]);
    converge_wholly(&json!({"packages/probe:i686": {"version": "1.0-1"}}));
    assert_eq!(installed(), [false, true]);
    converge_wholly(&json!({}));
    assert_eq!(installed(), [false, false]);
}
