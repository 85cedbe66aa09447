//! What must not act does not, is named, and hinders nobody else.

use std::time::Duration;

use muster_tests::fleet::{RealFleet, SOON};
use muster_tests::lab::Host;
use muster_tests::need;
use muster_tests::wait::{stays, wait_until};

const BASE: &str = "applications/base/application.yaml";
const PRODUCTION: &str = "environments/production/environment.yaml";
const ASSIGNED: &str = "applications: {base: {}}\n";

fn base(motd: &str) -> String {
    format!("resources:\n  files:\n    /etc/motd: {{content: \"{motd}\\n\"}}\n")
}

fn says(host: &Host, text: &str) -> bool {
    host.read_file("/etc/motd").is_ok_and(|found| found == format!("{text}\n"))
}

/// `web-1` in production, `web-2` in staging, both with the base application.
fn two_environments() -> RealFleet<2> {
    let real = RealFleet::start(["web-1", "web-2"]).unwrap();
    real.fleet.repository.write(BASE, base("first")).unwrap();
    real.fleet.approve("production", "web-1", ASSIGNED).unwrap();
    let last = real.fleet.approve("staging", "web-2", ASSIGNED).unwrap();
    for host in &real.hosts {
        real.fleet.wait_synced(host.name(), &last).unwrap();
        assert!(says(host, "first"));
    }
    real
}

#[test]
fn lab_an_unsigned_commit_changes_nothing_anywhere() {
    if !need::has(need::LAB) || !need::has(need::BROKER) {
        return;
    }
    let real = two_environments();
    let good = real.fleet.repository.tip().unwrap();
    real.fleet.repository.write(BASE, base("slipped in")).unwrap();
    let unsigned = real.fleet.repository.commit_unsigned("Slip in").unwrap();
    real.fleet.repository.push().unwrap();
    // A signed commit on top does not help it.
    real.fleet.repository.write(BASE, base("on top")).unwrap();
    let on_top = real.fleet.repository.publish("base: On top").unwrap();
    wait_until("the refusal in the status branch", SOON, || {
        let fleet = real.fleet.status("fleet.yaml").unwrap_or_default();
        fleet.contains(&format!("attempted: {on_top}")) && fleet.contains(&unsigned)
    })
    .unwrap();
    stays("the old content", Duration::from_secs(2), || real.hosts.iter().all(|host| says(host, "first"))).unwrap();
    for host in &real.hosts {
        assert_eq!(real.fleet.wait_synced(host.name(), &good).unwrap()["assigned"], good);
    }

    real.fleet.repository.rewind(&good).unwrap();
    real.fleet.repository.write(BASE, base("signed")).unwrap();
    let next = real.fleet.repository.publish("base: Signed").unwrap();
    for host in &real.hosts {
        real.fleet.wait_synced(host.name(), &next).unwrap();
        assert!(says(host, "signed"));
    }
}

#[test]
fn lab_a_faulty_commit_changes_nothing_in_its_environment_and_is_named() {
    if !need::has(need::LAB) || !need::has(need::BROKER) {
        return;
    }
    let real = two_environments();
    let [production, staging] = &real.hosts;
    let broken = "resources:\n  files:\n    /etc/broken: {template: broken}\n";
    let faults = [
        ("invalid YAML", PRODUCTION, "labels: {a: [}\n".to_owned(), format!("{PRODUCTION}:1:")),
        ("unknown field", PRODUCTION, "labels: {}\nlables: {}\n".to_owned(), format!("{PRODUCTION}:2:1")),
        ("template error", "applications/broken/application.yaml", broken.to_owned(), "files/broken:2:".to_owned()),
    ];
    let mut last = real.fleet.repository.tip().unwrap();
    for (fault, path, text, place) in faults {
        real.fleet.repository.write(path, text).unwrap();
        if fault == "template error" {
            real.fleet.repository.write("applications/broken/files/broken", "fine\n{{ nothing.here }}\n").unwrap();
            real.fleet.repository.write(PRODUCTION, "applications: {broken: {}}\n").unwrap();
        }
        real.fleet.repository.write(BASE, base(fault)).unwrap();
        let faulty = real.fleet.repository.publish(&format!("production: Bring a fault: {fault}")).unwrap();
        // The other environment goes on.
        real.fleet.wait_synced("web-2", &faulty).unwrap();
        assert!(says(staging, fault));
        wait_until(&format!("{fault} by its place in the status branch"), SOON, || {
            real.fleet.status("fleet.yaml").is_some_and(|fleet| fleet.contains(&place))
        })
        .unwrap();
        assert!(real.fleet.fetch("findings").unwrap().to_string().contains(path.split('/').nth(1).unwrap()));
        assert!(!says(production, fault), "{fault} let something through");
        assert_eq!(real.fleet.fetch("hosts/web-1").unwrap()["assigned"], last);

        real.fleet.repository.write(PRODUCTION, "labels: {}\n").unwrap();
        last = real.fleet.repository.publish("production: Repair").unwrap();
        real.fleet.wait_synced("web-1", &last).unwrap();
        assert!(says(production, fault));
        wait_until("the findings to go", SOON, || {
            real.fleet.status("fleet.yaml").is_some_and(|fleet| !fleet.contains(&place))
        })
        .unwrap();
    }
}

#[test]
fn lab_a_new_host_without_facts_delays_nobody() {
    if !need::has(need::LAB) || !need::has(need::BROKER) {
        return;
    }
    let mut real = RealFleet::start(["lb-1", "web-1"]).unwrap();
    real.fleet
        .repository
        .write(
            "applications/lb/application.yaml",
            "parameters:\n  upstream: {type: array, items: {type: string}, default: []}\n\
         resources:\n  files:\n    /etc/upstream: {content: \"{{ upstream | join(',') }}\\n\"}\n",
        )
        .unwrap();
    let upstream = "applications: {lb: {upstream: \"{{ hosts('role=web') | map(attribute='address') | list }}\"}}\n";
    real.fleet.approve("production", "web-1", "labels: {role: web}\n").unwrap();
    let last = real.fleet.approve("production", "lb-1", upstream).unwrap();
    real.fleet.wait_synced("lb-1", &last).unwrap();
    let only = format!("{}\n", real.hosts[1].address());
    wait_until("the address in the balancer's file", SOON, || {
        real.hosts[0].read_file("/etc/upstream").is_ok_and(|text| text == only)
    })
    .unwrap();

    // A host that is approved and has never been heard of, and that reads its own facts.
    let own = "resources: {files: {/etc/family: {content: \"{{ facts.os.family }}\\n\"}}}\n";
    real.fleet.repository.write("applications/own/application.yaml", own).unwrap();
    let silent = minisign::KeyPair::generate_unencrypted_keypair().unwrap().pk.to_base64();
    real.fleet.declare("production", "web-9", &silent, "labels: {role: web}\napplications: {own: {}}\n").unwrap();
    real.fleet.repository.write("environments/production/environment.yaml", "applications: {base: {}}\n").unwrap();
    real.fleet.repository.write(BASE, base("not delayed")).unwrap();
    let next = real.fleet.repository.publish("hosts: Add one that is not there yet").unwrap();
    for host in &real.hosts {
        real.fleet.wait_synced(host.name(), &next).unwrap();
        assert!(says(host, "not delayed"));
    }
    assert_eq!(real.hosts[0].read_file("/etc/upstream").unwrap(), only);
    let nine = real.fleet.fetch("hosts/web-9").unwrap();
    assert_eq!([&nine["health"], &nine["reason"]], ["Pending", "WaitingForFacts"], "{nine:#}");
    assert_eq!(nine["contact"], "NeverSeen");

    // Nor does one that is switched off: what is known of it stays, and it catches up.
    real.hosts[1].power_cut().unwrap();
    real.fleet.repository.write(BASE, base("while one is off")).unwrap();
    let last = real.fleet.repository.publish("base: While one is off").unwrap();
    real.fleet.wait_synced("lb-1", &last).unwrap();
    assert!(says(&real.hosts[0], "while one is off"));
    assert_eq!(real.hosts[0].read_file("/etc/upstream").unwrap(), only);
    assert!(says(&real.hosts[1], "not delayed"));
    real.hosts[1].power_on().unwrap();
    real.hosts[1].wait_running().unwrap();
    real.fleet.wait_synced("web-1", &last).unwrap();
    assert!(says(&real.hosts[1], "while one is off"));
}
