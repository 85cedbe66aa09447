use crate::provider::package::test_scenario::{TestArchive, run_life, run_versions};
use crate::provider::rpm::test_archive::RpmArchive;
use crate::resource::test_converger::{converge, converge_wholly, differences, outcome_of};
use crate::test_machine::enter_with;
use serde_json::json;

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

/// Both architectures run on this machine's own; the id says which one is meant.
#[test]
fn a_foreign_architecture_stands_beside_the_host_s_own() {
    let test = "provider::dnf::tests::a_foreign_architecture_stands_beside_the_host_s_own";
    if !cfg!(target_arch = "x86_64") || !enter_with(&NEEDS, test) {
        return;
    }
    let archive = RpmArchive::of_two_architectures(FEDORA, PROGRAM);
    let installed = || ["probe.x86_64", "probe.i686"].map(|name| archive.installed(name).is_some());
    converge_wholly(&json!({"packages/probe:i686": {}}));
    assert_eq!(installed(), [false, true]);
    assert_eq!(differences(&json!({"packages/probe": {}})).len(), 2, "one leaves, and the other is not there");
    converge_wholly(&json!({"packages/probe": {}, "packages/probe:i686": {"version": "1.0-1"}}));
    assert_eq!(installed(), [true, true]);
    converge_wholly(&json!({"packages/probe": {}}));
    assert_eq!(installed(), [true, false]);
    converge_wholly(&json!({"packages/probe": {}, "packages/probe:i686": {}}));
    converge_wholly(&json!({"packages/probe:i686": {}}));
    assert_eq!(installed(), [false, true], "the host's own goes alone");
    converge_wholly(&json!({"packages/probe": {}}));
    assert_eq!(installed(), [true, false]);
    // As dnf itself would have it, it is no name of a package: that is told, and nothing comes.
    let outcomes = converge(&json!({"packages/probe": {}, "packages/probe.i686": {}}));
    let refused = outcome_of(&outcomes, "packages/probe.i686");
    assert!(refused.message.contains("there is no package probe.i686"), "{refused:?}");
    assert_eq!(installed(), [true, false]);
    converge_wholly(&json!({}));
    assert_eq!(installed(), [false, false]);
    converge_wholly(&json!({"packages/probe": {"arch": "i686"}}));
    assert_eq!(installed(), [false, true]);
}
