//! A push configures hosts, drift heals, a revert restores.

use std::time::Duration;

use muster_tests::fleet::{RealFleet, SOON};
use muster_tests::need;
use muster_tests::wait::wait_until;

#[test]
fn lab_a_host_that_leaves_the_repository_is_retired() {
    if !need::has(need::LAB) || !need::has(need::BROKER) {
        return;
    }
    let real = RealFleet::start(["web-1", "web-2"]).unwrap();
    let application = "resources: {files: {/etc/motd: {content: \"managed\\n\"}}}\n";
    real.fleet.repository.write("applications/web/application.yaml", application).unwrap();
    real.approve_all("applications: {web: {}}\n").unwrap();
    let [leaves, stays] = &real.hosts;
    real.fleet.repository.remove("environments/production/hosts/web-1.yaml").unwrap();
    let left = real.fleet.repository.publish("hosts: Retire web-1").unwrap();
    real.fleet.wait_host("web-1", "to report its retirement", |host| host["reason"] == "Retired").unwrap();
    real.fleet.wait_synced("web-2", &left).unwrap();
    wait_until("the retirement in the status branch", SOON, || {
        real.fleet.repository.git_bare(&["grep", "retirement_done: true", "status", "--", "hosts"]).is_ok()
    })
    .unwrap();

    // It stays as it is, and nobody heals it any more; the other is enforced as before.
    assert_eq!(leaves.read_file("/etc/motd").unwrap(), "managed\n");
    for host in &real.hosts {
        host.write_file("/etc/motd", "own\n").unwrap();
    }
    wait_until("the other host to heal", SOON, || stays.read_file("/etc/motd").is_ok_and(|t| t == "managed\n"))
        .unwrap();
    muster_tests::wait::stays("the retired host's own file", Duration::from_secs(3), || {
        leaves.read_file("/etc/motd").is_ok_and(|text| text == "own\n")
    })
    .unwrap();
}
