//! Units, timers and entries of cron, on a real systemd.

use std::time::Duration;

use muster_tests::fleet::RealFleet;
use muster_tests::lab::Host;
use muster_tests::need;
use muster_tests::wait::wait_until;

use crate::web;

const APPLICATION: &str = r#"
resources:
  units:
    worker.service:
      content: |
        [Unit]
        Description=DESCRIPTION
        [Service]
        ExecStart=/bin/sleep infinity
        [Install]
        WantedBy=multi-user.target
    worker.service.d/word.conf:
      content: |
        [Service]
        Environment=WORD=FIRST
      on_change: restart
    found.service:
      content: "[Service]\nExecStart=/bin/true\n"
    muster-tick.timer.d/accuracy.conf:
      content: "[Timer]\nAccuracySec=100ms\n"
  services:
    worker: {running: true, enabled: true}
  timers:
    tick:
      calendar: "*:*:0/2"
      command: [/usr/bin/touch, "/var/tmp/100%n $HOME"]
      user: nobody
  cron:
    db.dump:
      schedule: "17 3 * * mon-fri"
      user: nobody
      command: [/usr/bin/touch, /var/tmp/100%]
      env: {MAILTO: root@example.com}
"#;

const ENTRY: &str = "# Managed by muster: changes here are taken back.\n\
    MAILTO=\"root@example.com\"\n\
    17 3 * * mon-fri nobody /usr/bin/touch '/var/tmp/100\\%'\n";

/// A unit that the host had before.
const FOUND: &str = "[Service]\nExecStart=/bin/false\n";

#[test]
fn lab_units_timers_and_cron_run_heal_and_go_back() {
    if !need::has(need::LAB) || !need::has(need::BROKER) {
        return;
    }
    let real = RealFleet::start(["web-1"]).unwrap();
    let [host] = &real.hosts;
    host.write_file("/etc/systemd/system/found.service", FOUND).unwrap();
    host.exec("systemctl daemon-reload").unwrap();
    real.approve_all("").unwrap();
    let found = look(host);

    let publish = |application: &str| {
        let application = application.trim_start();
        real.fleet.repository.write("applications/web/application.yaml", application).unwrap();
        real.fleet.repository.write("environments/production/environment.yaml", web::ASSIGNED).unwrap();
        let commit = real.fleet.repository.publish("web: Say how it works").unwrap();
        real.fleet.wait_synced("web-1", &commit).unwrap();
    };
    publish(APPLICATION);
    assert_eq!(host.exec("systemctl is-active worker; systemctl is-enabled worker").unwrap(), "active\nenabled");
    assert_eq!(word(host), "WORD=FIRST");
    assert!(host.holds("systemctl list-timers --no-legend | grep -q muster-tick.timer"));
    assert_eq!(host.exec("systemctl is-enabled muster-tick.timer").unwrap(), "enabled");
    assert_eq!(host.read_file("/etc/cron.d/db_2edump").unwrap(), ENTRY);
    assert_eq!(host.exec("stat -c %a:%U:%G /etc/cron.d/db_2edump").unwrap(), "644:root:root");
    let ticked = "[ \"$(stat -c %U '/var/tmp/100%n $HOME')\" = nobody ]";
    wait_until("the timer to run its command", Duration::from_secs(30), || host.holds(ticked)).unwrap();

    // systemd knows the new text, and what runs goes on; but where the drop-in changes, it restarts.
    let main = host.exec("systemctl show -P MainPID worker").unwrap();
    let described = APPLICATION.replace("DESCRIPTION", "Works");
    publish(&described);
    assert_eq!(host.exec("systemctl show -P Description worker").unwrap(), "Works");
    assert_eq!(host.exec("systemctl show -P MainPID worker").unwrap(), main);
    publish(&described.replace("FIRST", "SECOND"));
    wait_until("the restart", Duration::from_secs(30), || word(host) == "WORD=SECOND").unwrap();
    assert_ne!(host.exec("systemctl show -P MainPID worker").unwrap(), main);

    let settled = look(host);
    let drifts = [
        ("units/worker.service", "echo '# mine' >>/etc/systemd/system/worker.service"),
        ("units/worker.service", "rm /etc/systemd/system/worker.service"),
        (
            "units/worker.service.d%2Fword.conf",
            "mv /etc/systemd/system/worker.service.d /root/gone; systemctl daemon-reload; rm -r /root/gone",
        ),
        ("units/found.service", "chmod 666 /etc/systemd/system/found.service"),
        ("services/worker", "systemctl stop --no-block worker"),
        ("timers/tick", "systemctl stop muster-tick.timer"),
        ("timers/tick", "systemctl disable --quiet muster-tick.timer"),
        ("timers/tick", "rm /etc/systemd/system/muster-tick.service"),
        ("cron/db.dump", "echo '* * * * * root /bin/false' >>/etc/cron.d/db_2edump"),
        ("cron/db.dump", "rm /etc/cron.d/db_2edump"),
    ];
    for (address, drift) in drifts {
        let corrections = web::corrections(&real.fleet.fetch("hosts/web-1").unwrap(), address);
        host.exec(drift).unwrap();
        real.fleet
            .wait_host("web-1", &format!("the correction of `{drift}`"), |host| {
                host["health"] == "Healthy" && web::corrections(host, address) > corrections
            })
            .unwrap();
        wait_until(&format!("`{drift}` to heal"), Duration::from_secs(30), || look(host) == settled).unwrap();
    }
    assert_eq!(word(host), "WORD=SECOND");

    real.fleet.repository.write("environments/production/environment.yaml", "labels: {}\n").unwrap();
    let left = real.fleet.repository.publish("production: No more of it").unwrap();
    real.fleet.wait_synced("web-1", &left).unwrap();
    assert_eq!(look(host), found);
    assert_eq!(host.read_file("/etc/systemd/system/found.service").unwrap(), FOUND);
    assert!(!host.holds("pgrep --full '^/bin/sleep infinity'"));
}

/// What is on the disk, and what systemd makes of it.
fn look(host: &Host) -> [String; 3] {
    [
        "find /etc/systemd/system /etc/cron.d -printf '%p %y %m %u %g %l\n' | sort",
        "cd /etc/systemd/system; sha256sum /etc/cron.d/* *.service *.timer */*.conf 2>/dev/null || true",
        "systemctl show -P LoadState -P ActiveState -P UnitFileState -P NeedDaemonReload \
            worker.service found.service muster-tick.timer",
    ]
    .map(|line| host.exec(line).unwrap())
}

/// What the running worker was given.
fn word(host: &Host) -> String {
    let line = "tr '\\0' '\\n' </proc/$(systemctl show -P MainPID worker)/environ | grep ^WORD=";
    host.exec(line).unwrap_or_default()
}
