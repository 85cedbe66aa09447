use crate::provider::package::test_scenario::{run_life, run_versions};
use crate::provider::rpm::test_archive::RpmArchive;
use crate::test_machine::enter_with;

const NEEDS: [&str; 3] = ["/usr/bin/dnf", "/usr/bin/rpmbuild", "/usr/bin/createrepo_c"];
const FEDORA: &str = "ID=fedora\nVERSION_ID=38\n";
/// Dependencies that nothing needs stay, as they do where a person has set it so: what brought them is forgotten else.
const PROGRAM: &[&str] = &["dnf", "--quiet", "--setopt=clean_requirements_on_remove=False"];

#[test]
fn packages_live_and_go() {
    if enter_with(&NEEDS, "provider::dnf::tests::packages_live_and_go") {
        run_life(&mut RpmArchive::new(FEDORA, PROGRAM));
    }
}

#[test]
fn versions_move_as_told() {
    if enter_with(&NEEDS, "provider::dnf::tests::versions_move_as_told") {
        run_versions(&mut RpmArchive::new(FEDORA, PROGRAM));
    }
}
