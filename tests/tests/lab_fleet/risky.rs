//! A risky change stands when the host reaches its orchestrator after it, or the host goes back by itself.

use std::time::Duration;

use muster_tests::fleet::RealFleet;
use muster_tests::lab::{GATEWAY, Host};
use muster_tests::need;
use muster_tests::wait::{stays, wait_until};
use serde_json::Value;

const WITHIN: Duration = Duration::from_secs(8);
const LONG: Duration = Duration::from_secs(120);
const SSHD: &str = "/etc/ssh/sshd_config.d/x.conf";
const LINK: &str = "/etc/systemd/network/10-lab.network";
const RISKY: [&str; 2] = ["files/etc/ssh/sshd_config.d/x.conf", "files/etc/systemd/network/10-lab.network"];

/// Three files, two of them risky, and what puts the one about the link to work.
fn application(version: &str, policy: &str) -> String {
    format!(
        "resources:
  files:
    /etc/motd: {{content: \"{version}\\n\"}}
    {SSHD}: {{content: \"# {version}\\n\"}}
    {LINK}: {{content: \"# {version}\\n[Link]\\nActivationPolicy={policy}\\n\"}}
  commands:
    apply-link: {{argv: [/usr/local/sbin/apply-link], run_on: [files{LINK}]}}
"
    )
}

fn publish(real: &RealFleet<1>, version: &str, policy: &str) -> String {
    real.fleet.repository.write("applications/link/application.yaml", application(version, policy)).unwrap();
    real.fleet.repository.publish(&format!("link: {version}")).unwrap()
}

/// A change that leaves the link as it is, until it is confirmed, for the `nth` time on this host.
fn publish_and_confirm(real: &RealFleet<1>, version: &str, nth: usize) {
    let commit = publish(real, version, "always-up");
    real.fleet
        .wait_host_within(LONG, "web-1", "to follow", |view| view["assigned"] == commit && view["sync"] == "Synced")
        .unwrap();
    assert!(has(&real.hosts[0], version), "{version} is on the disk");
    wait_confirmed(&real.hosts[0], nth);
}

fn wait_confirmed(host: &Host, nth: usize) {
    let confirmed = "journalctl --quiet --unit muster-agent | grep -c 'the risky change stands'";
    wait_until("the change to be confirmed", LONG, || host.exec(confirmed).is_ok_and(|count| count == nth.to_string()))
        .unwrap();
}

/// A change that takes the link down.
fn publish_and_cut(real: &RealFleet<1>, version: &str) -> String {
    let commit = publish(real, version, "always-down");
    let host = &real.hosts[0];
    wait_until("the change to cut the host off", LONG, || has(host, version) && !link_is_up(host)).unwrap();
    commit
}

/// Whether both risky files have this version.
fn has(host: &Host, version: &str) -> bool {
    let begins = |path| host.read_file(path).is_ok_and(|text| text.starts_with(&format!("# {version}\n")));
    begins(SSHD) && begins(LINK)
}

fn link_is_up(host: &Host) -> bool {
    host.holds("ip -oneline link show host0 | grep -q 'state UP'")
}

/// Both risky resources are in error, for the reason that is given.
fn both_reverted(view: &Value) -> bool {
    let reason = format!("reverted: the orchestrator was not reached within {} s", WITHIN.as_secs());
    let deviations = view["deviations"].as_array().map_or(&[][..], Vec::as_slice);
    RISKY.iter().all(|address| {
        deviations.iter().any(|deviation| {
            deviation["address"] == *address
                && deviation["state"] == "error"
                && deviation["message"].as_str().is_some_and(|message| message.contains(&reason))
        })
    })
}

/// The host has its old state again and its link, and says so; what was no risk stands.
fn wait_taken_back(real: &RealFleet<1>, commit: &str, version: &str, before: &str) {
    let host = &real.hosts[0];
    wait_until("the host to go back", LONG, || has(host, before) && link_is_up(host)).unwrap();
    real.fleet
        .wait_host_within(LONG, "web-1", "to report what it took back", |view| {
            view["applied_revision"] == commit && both_reverted(view)
        })
        .unwrap();
    assert_eq!(host.read_file("/etc/motd").unwrap(), format!("{version}\n"));
    let plan = || host.exec("muster-agent plan || true").unwrap();
    let held = |address: &&str| plan().contains(&format!("{address}: not tried again under this manifest: reverted: "));
    wait_until("a person on the host to be told", LONG, || RISKY.iter().all(held)).unwrap();
}

#[test]
fn lab_risky_changes_stand_with_contact_and_are_taken_back_without() {
    if !need::has(need::LAB) || !need::has(need::BROKER) {
        return;
    }
    let mut real = RealFleet::start(["web-1"]).unwrap();
    let host = &real.hosts[0];
    host.write_file(
        "/usr/local/sbin/apply-link",
        format!(
            "#!/bin/sh\nif grep -q always-down {LINK}; then exec ip link set host0 down; fi\n\
             ip link set host0 up && ip route replace default via {GATEWAY}\n"
        ),
    )
    .unwrap();
    host.write_file(SSHD, "# found\n").unwrap();
    let settings = real.fleet.agent_settings("web-1") + &format!("confirm_within: {}s\n", WITHIN.as_secs());
    host.write_file("/etc/muster/agent.yaml", settings).unwrap();
    host.exec("chmod 755 /usr/local/sbin/apply-link && systemctl restart muster-agent").unwrap();
    real.fleet.repository.write("applications/link/application.yaml", application("first", "always-up")).unwrap();
    real.approve_all("applications: {link: {}}\n").unwrap();
    assert!(has(host, "first"));

    // With contact it stands. From then on drift heals without contact, and stays healed.
    wait_confirmed(host, 1);
    host.exec("ip link set host0 down").unwrap();
    host.write_file(SSHD, "# drift\n").unwrap();
    wait_until("the drift to heal without contact", LONG, || has(host, "first")).unwrap();
    stays("what was confirmed", WITHIN + Duration::from_secs(3), || has(host, "first")).unwrap();
    host.exec("/usr/local/sbin/apply-link").unwrap();

    // Without contact the host goes back, and the old file brings the link back.
    let cut = publish_and_cut(&real, "second");
    wait_taken_back(&real, &cut, "second", "first");

    // It is not tried again: not under another revision of the same content, not by a new sweep.
    real.fleet.repository.write("environments/staging/environment.yaml", "labels: {another: revision}\n").unwrap();
    let same = real.fleet.repository.publish("staging: Another revision").unwrap();
    real.fleet
        .wait_host_within(LONG, "web-1", "the new revision", |view| {
            view["applied_revision"] == same && both_reverted(view)
        })
        .unwrap();
    real.hosts[0].exec("systemctl restart muster-agent").unwrap();
    stays("what was taken back", Duration::from_secs(5), || has(&real.hosts[0], "first") && link_is_up(&real.hosts[0]))
        .unwrap();
    assert!(both_reverted(&real.fleet.fetch("hosts/web-1").unwrap()));
    publish_and_confirm(&real, "third", 2);

    // An agent that is killed in between takes it back when it is there again.
    let cut = publish_and_cut(&real, "fourth");
    real.hosts[0].exec("systemctl kill --signal=KILL muster-agent").unwrap();
    wait_taken_back(&real, &cut, "fourth", "third");
    publish_and_confirm(&real, "fifth", 3);

    // A host that was off when the time was over takes it back at its start, whether its link is up or not.
    let cut = publish_and_cut(&real, "sixth");
    // The cable goes with the plug: what the kernel has not sent yet would keep it, and the name is needed again.
    real.hosts[0].exec("ip link delete host0").unwrap();
    real.hosts[0].power_cut().unwrap();
    std::thread::sleep(WITHIN);
    assert!(has(&real.hosts[0], "sixth"), "nobody has taken it back yet");
    real.hosts[0].power_on().unwrap();
    real.hosts[0].wait_running().unwrap();
    wait_taken_back(&real, &cut, "sixth", "fifth");

    // And what leaves goes back to what was found.
    real.fleet.repository.write("environments/production/hosts/web-1.yaml", host_file(&real)).unwrap();
    let gone = real.fleet.repository.publish("web-1: Leave the link alone").unwrap();
    real.fleet.wait_synced("web-1", &gone).unwrap();
    assert_eq!(real.hosts[0].read_file(SSHD).unwrap(), "# found\n");
    assert!(!real.hosts[0].path(LINK).exists());
}

/// The host's file without its application.
fn host_file(real: &RealFleet<1>) -> String {
    let file = real.fleet.repository.read("main", "environments/production/hosts/web-1.yaml").unwrap();
    file.lines().filter(|line| !line.starts_with("applications")).map(|line| format!("{line}\n")).collect()
}
