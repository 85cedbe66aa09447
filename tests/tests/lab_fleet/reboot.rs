//! A host that reboots itself, once, and goes on with what was left.

use std::time::Duration;

use muster_tests::fleet::RealFleet;
use muster_tests::need;

const APPLICATION: &str = r#"
resources:
  files:
    /etc/kernel-setting: {content: "WORD\n"}
    /etc/after-boot: {content: "WORD\n", requires: [reboot/system]}
    /etc/beside: {content: "WORD\n"}
  reboot:
    system: {run_on: [files/etc/kernel-setting], WINDOW}
"#;
/// It opens in some hours.
const CLOSED: &str = "window: {from: \"FROM\", to: \"TO\"}";
const BOOT: &str = "cat /proc/sys/kernel/random/boot_id";
const PATH: &str = "applications/web/application.yaml";

fn application(word: &str, window: &str) -> String {
    APPLICATION.trim_start().replace("WORD", word).replace(", WINDOW", window)
}

#[test]
fn lab_a_reboot_is_made_once_and_what_requires_it_is_done_after_it() {
    if !need::has(need::LAB) || !need::has(need::BROKER) {
        return;
    }
    let mut real = RealFleet::start(["web-1"]).unwrap();
    let write = |real: &RealFleet<1>, word: &str, window: &str| {
        real.fleet.repository.write(PATH, application(word, window)).unwrap();
    };
    // The first content too is a change.
    write(&real, "one", "");
    let first = real.hosts[0].exec(BOOT).unwrap();
    real.fleet.approve("production", "web-1", "applications: {web: {}}\n").unwrap();
    real.hosts[0].wait_rebooted().unwrap();
    let second = real.hosts[0].exec(BOOT).unwrap();
    assert_ne!(first, second);
    real.fleet.wait_host("web-1", "to be done", |host| host["health"] == "Healthy").unwrap();
    for file in ["/etc/kernel-setting", "/etc/after-boot", "/etc/beside"] {
        assert_eq!(real.hosts[0].read_file(file).unwrap(), "one\n", "{file}");
    }

    // Outside the window it is owed: the rest is done, what requires it waits.
    let hours = real.hosts[0].exec("date -u -d '+3 hours' +%H:%M; date -u -d '+4 hours' +%H:%M").unwrap();
    let (from, to) = hours.split_once('\n').unwrap();
    let closed = CLOSED.replace("FROM", from).replace("TO", to);
    write(&real, "two", &format!(", {closed}"));
    real.fleet.repository.publish("web: Change what needs a reboot").unwrap();
    let pending = |host: &serde_json::Value| host["health"] == "Pending" && host["reason"] == "RebootPending";
    let status = real.fleet.wait_host("web-1", "to wait for its window", pending).unwrap();
    let message = status["message"].as_str().unwrap_or_default();
    assert!(message.contains("the next window opens at") && message.contains(from), "{message}");
    assert_eq!(real.hosts[0].read_file("/etc/beside").unwrap(), "two\n");
    assert_eq!(real.hosts[0].read_file("/etc/after-boot").unwrap(), "one\n");
    // A killed agent does not forget it.
    real.hosts[0].exec("systemctl kill --signal=KILL muster-agent").unwrap();
    muster_tests::wait::stays("the host up and waiting", Duration::from_secs(8), || {
        real.hosts[0].exec(BOOT).is_ok_and(|boot| boot == second)
            && real.hosts[0].read_file("/etc/after-boot").is_ok_and(|text| text == "one\n")
    })
    .unwrap();

    // The window is gone: now it may be.
    write(&real, "two", "");
    let done = real.fleet.repository.publish("web: Reboot at any time").unwrap();
    real.hosts[0].wait_rebooted().unwrap();
    real.fleet.wait_synced("web-1", &done).unwrap();
    let third = real.hosts[0].exec(BOOT).unwrap();
    assert_ne!(second, third);
    assert_eq!(real.hosts[0].read_file("/etc/after-boot").unwrap(), "two\n");
    muster_tests::wait::stays("no second reboot", Duration::from_secs(8), || {
        real.hosts[0].exec(BOOT).is_ok_and(|boot| boot == third)
    })
    .unwrap();
}
