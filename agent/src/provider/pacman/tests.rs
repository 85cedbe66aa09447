use super::test_archive::PacmanArchive;
use crate::provider::package::test_scenario::{run_life, run_versions};
use crate::test_machine::enter_with;

const NEEDS: [&str; 3] = ["/usr/bin/pacman", "/usr/bin/repo-add", "/usr/bin/bsdtar"];

#[test]
fn packages_live_and_go() {
    if enter_with(&NEEDS, "provider::pacman::tests::packages_live_and_go") {
        run_life(&mut PacmanArchive::new());
    }
}

#[test]
fn versions_move_as_told() {
    if enter_with(&NEEDS, "provider::pacman::tests::versions_move_as_told") {
        run_versions(&mut PacmanArchive::new());
    }
}
