use crate::provider::package::test_scenario::{run_life, run_versions};
use crate::provider::rpm::test_archive::RpmArchive;
use crate::test_machine::enter_with;

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
