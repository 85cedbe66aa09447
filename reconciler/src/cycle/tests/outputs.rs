//! A document that brings about nothing it may not, until a host reports something.

use super::*;

#[test]
fn a_host_on_which_a_document_would_do_more_than_it_may_keeps_what_it_has() {
    let mut fleet = Fleet::start();
    let rules = "outputs: [{paths: [\"applications/web/**\"], hosts: \"*\", collections: [files]}]\n";
    fleet.repo.write("policy/access.yaml", &format!("{}{rules}", crate::test_repository::ACCESS));
    let trap = "resources:\n  files: {/etc/web: {content: \"{{ facts.hostname }}\"}}\n  users: {backdoor: {when: \"{{ facts.hostname == 'now' }}\"}}\n";
    fleet.repo.write("applications/web/application.yaml", trap);
    let host = std::fs::read_to_string(fleet.repo.work().join("environments/lab/hosts/web-1.yaml")).unwrap();
    fleet.repo.write("environments/lab/hosts/web-1.yaml", &format!("{host}applications: {{web: {{}}}}\n"));
    fleet.push("second");
    fleet.orchestrator.reconcile().unwrap();
    assert_eq!((fleet.rename("a"), fleet.hold()), (1, None));
    let held = fleet.manifest();
    assert_eq!((fleet.rename("now"), fleet.hold().as_deref()), (0, Some("RenderFault")));
    assert_eq!(fleet.manifest(), held, "it keeps what it has");
    let state = fleet.orchestrator.state();
    let told = state.fleet().hosts[&id()].hold.clone().unwrap().message;
    assert!(told.contains("users/backdoor on web-1 follows from 'applications/web/application.yaml'"), "{told}");
    assert_eq!((fleet.rename("b"), fleet.hold()), (1, None), "and goes on when it can");

    // What another rule lets it is taken with the next revision, without a change of anything else.
    assert_eq!(fleet.rename("now"), 0);
    fleet.repo.write("policy/access.yaml", crate::test_repository::ACCESS);
    fleet.push("second");
    assert_eq!(fleet.orchestrator.reconcile().unwrap(), [id()]);
    fleet.repo.write("policy/access.yaml", &format!("{}{rules}", crate::test_repository::ACCESS));
    fleet.push("second");
    assert_eq!(fleet.orchestrator.reconcile().unwrap(), []);
    assert_eq!(fleet.hold().as_deref(), Some("RenderFault"), "though nothing but the policy differs");
}
