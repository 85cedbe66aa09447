//! A push configures hosts, drift heals, a revert restores.

use std::time::Duration;

use muster_tests::fleet::{RealFleet, SOON};
use muster_tests::need;
use muster_tests::wait::wait_until;

use crate::web;

#[test]
fn lab_a_push_configures_hosts_and_every_kind_of_drift_heals() {
    if !need::has(need::LAB) || !need::has(need::BROKER) {
        return;
    }
    let real = RealFleet::start(["web-1", "web-2"]).unwrap();
    web::write(&real.fleet);
    real.approve_all(web::ASSIGNED).unwrap();
    for host in &real.hosts {
        assert_eq!(web::answer(host), format!("hello from {}", host.name()));
        assert_eq!(host.exec("dpkg-query -W -f '${db:Status-Status}' nginx").unwrap(), "installed");
        assert_eq!(host.exec("muster-testpkg").unwrap(), "muster-testpkg 1.0");
        assert_eq!(host.exec("systemctl is-active nginx; systemctl is-enabled nginx").unwrap(), "active\nenabled");
        assert_eq!(host.exec("getent passwd deploy | cut -d: -f3,7").unwrap(), "4200:/bin/bash");
        assert_eq!(host.exec("getent group deploy | cut -d: -f1-3").unwrap(), "deploy:x:4200");
        assert_eq!(host.exec("stat -c %a:%U:%G /etc/motd").unwrap(), "640:root:root");
    }

    // A change of a setting reaches the running site by one reload, not by a restart.
    let [one, two] = &real.hosts;
    let main = one.exec("systemctl show -P MainPID nginx").unwrap();
    real.fleet
        .repository
        .write("environments/production/environment.yaml", "settings: {web: {greeting: bye}}\n")
        .unwrap();
    let bye = real.fleet.repository.publish("production: Say bye").unwrap();
    for host in &real.hosts {
        real.fleet.wait_synced(host.name(), &bye).unwrap();
        wait_until("the new greeting", SOON, || web::answer(host) == format!("bye from {}", host.name())).unwrap();
    }
    assert_eq!(one.exec("systemctl show -P MainPID nginx").unwrap(), main);

    let drifts = [
        ("files/etc/motd", "echo tampered >>/etc/motd", "grep -qx managed /etc/motd && [ $(wc -l </etc/motd) = 1 ]"),
        ("files/etc/motd", "rm /etc/motd", "grep -qx managed /etc/motd"),
        ("files/etc/motd", "chmod 666 /etc/motd", "[ $(stat -c %a /etc/motd) = 640 ]"),
        ("services/nginx", "systemctl stop --no-block nginx", "systemctl is-active nginx"),
        ("services/nginx", "systemctl disable nginx", "systemctl is-enabled nginx"),
        ("packages/muster-testpkg", "dpkg --remove muster-testpkg", "muster-testpkg"),
        ("users/deploy", "usermod --shell /bin/sh deploy", "getent passwd deploy | grep -q /bin/bash"),
        ("groups/deploy", "userdel deploy", "getent group deploy && getent passwd deploy"),
    ];
    for (address, drift, healed) in &drifts {
        let corrections = web::corrections(&real.fleet.fetch("hosts/web-1").unwrap(), address);
        one.exec(drift).unwrap();
        wait_until(&format!("`{drift}` to heal"), Duration::from_secs(90), || one.holds(healed)).unwrap();
        real.fleet
            .wait_host("web-1", &format!("the correction of `{drift}`"), |host| {
                web::corrections(host, address) > corrections
            })
            .unwrap();
    }
    // What healed on one host was no change on the other.
    let other = real.fleet.fetch("hosts/web-2").unwrap();
    assert_eq!(drifts.iter().map(|(address, ..)| web::corrections(&other, address)).sum::<usize>(), 0);
    assert!(two.holds("systemctl is-active nginx"));

    // Status holds it too, as files in Git.
    let status = || real.fleet.repository.git_bare(&["grep", "--count", "corrective", "status", "--", "hosts"]);
    wait_until("the corrections in the status branch", SOON, || status().is_ok()).unwrap();
}

#[test]
fn lab_a_revert_restores_every_address_package_included() {
    if !need::has(need::LAB) || !need::has(need::BROKER) {
        return;
    }
    let real = RealFleet::start(["web-1"]).unwrap();
    let [host] = &real.hosts;
    real.approve_all("").unwrap();
    // What `observe` of each address sees, and what the packages brought along.
    let saved = || {
        [
            "dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\n' | grep ^installed",
            "apt-mark showauto | sort",
            "stat -c '%a %U %G' /etc/motd; cat /etc/motd",
            "getent passwd; getent group",
            "systemctl list-unit-files --state=enabled --no-legend | cut -d' ' -f1",
            "ls -A /etc/nginx/conf.d/site.conf 2>&1 || true",
        ]
        .map(|line| host.exec(line).unwrap())
    };
    let found = saved();

    web::write(&real.fleet);
    real.fleet.repository.write("environments/production/environment.yaml", web::ASSIGNED).unwrap();
    let assigned = real.fleet.repository.publish("production: Serve a page").unwrap();
    real.fleet.wait_synced("web-1", &assigned).unwrap();
    assert_eq!(web::answer(host), "hello from web-1");
    assert_ne!(saved(), found);

    let reverted = real.fleet.repository.publish_revert(&assigned).unwrap();
    real.fleet.wait_synced("web-1", &reverted).unwrap();
    for (now, then) in saved().iter().zip(&found) {
        assert_eq!(now, then);
    }
    // Removed, never purged.
    assert!(host.holds("dpkg-query -W -f '${db:Status-Status}' muster-testpkg | grep -q config-files"));

    // And forth again.
    let again = real.fleet.repository.publish_revert(&reverted).unwrap();
    real.fleet.wait_synced("web-1", &again).unwrap();
    assert_eq!(web::answer(host), "hello from web-1");
}

#[test]
fn lab_a_host_that_leaves_the_repository_is_retired() {
    if !need::has(need::LAB) || !need::has(need::BROKER) {
        return;
    }
    let real = RealFleet::start(["web-1", "web-2"]).unwrap();
    let application = "resources: {files: {/etc/motd: {content: \"managed\\n\"}}}\n";
    real.fleet.repository.write("applications/web/application.yaml", application).unwrap();
    real.approve_all(web::ASSIGNED).unwrap();
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
