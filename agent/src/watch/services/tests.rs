#![allow(clippy::disallowed_methods)]

use crate::test_daemon::{Daemon, wait_for};
use crate::test_machine::enter_booted;
use serde_json::{Value, json};
use std::fs;
use std::process::Command;
use std::time::Duration;

const SIMPLE: &str = "[Service]\nExecStart=sleep infinity\n[Install]\nWantedBy=multi-user.target\n";

fn run(argv: &[&str]) -> String {
    let output = Command::new(argv[0]).args(&argv[1..]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn is_active(unit: &str) -> bool {
    run(&["systemctl", "is-active", unit]) == "active"
}

fn lines(path: &str) -> usize {
    fs::read_to_string(path).unwrap_or_default().lines().count()
}

#[test]
fn drift_of_a_service_is_healed_at_once() {
    if !enter_booted("watch::services::tests::drift_of_a_service_is_healed_at_once") {
        return;
    }
    for name in ["probe", "other", "free"] {
        fs::write(format!("/etc/systemd/system/{name}.service"), SIMPLE).unwrap();
    }
    fs::write("/etc/systemd/system/real.service", format!("{SIMPLE}Alias=nick.service\n")).unwrap();
    run(&["systemctl", "daemon-reload"]);
    run(&["systemctl", "enable", "real.service"]);
    let mut daemon = Daemon::begin();
    let wanted = json!({
        "services/probe": {"running": true, "enabled": true},
        "services/other": {"running": false},
        "services/nick": {"running": true},
    });
    daemon.follow(&wanted);
    assert!(is_active("probe") && is_active("real"));

    for _ in 0..3 {
        run(&["systemctl", "stop", "probe"]);
        wait_for("a stopped service", || is_active("probe"));
    }
    run(&["systemctl", "start", "other"]);
    wait_for("a started service", || !is_active("other"));
    run(&["systemctl", "kill", "--signal=KILL", "nick"]);
    wait_for("one under another name", || is_active("real"));
    run(&["systemctl", "disable", "probe"]);
    wait_for("a disabled service", || run(&["systemctl", "is-enabled", "probe"]) == "enabled");

    run(&["systemctl", "daemon-reexec"]);
    run(&["systemctl", "stop", "probe"]);
    wait_for("a service after systemd began anew", || is_active("probe"));
    std::thread::sleep(Duration::from_secs(1));
    run(&["systemctl", "stop", "probe"]);
    wait_for("a service on the new connection", || is_active("probe"));

    stays_quiet(&mut daemon, &wanted);
    does_not_try_for_ever(&mut daemon);
    waits_for_an_installation(&mut daemon);
    heals_accounts(&mut daemon);
    daemon.end();
}

/// What is right or not ours costs nothing and is left alone.
fn stays_quiet(daemon: &mut Daemon, wanted: &Value) {
    let process = || run(&["systemctl", "show", "-p", "MainPID", "probe"]);
    let before = process();
    run(&["systemctl", "restart", "probe"]);
    assert_ne!(process(), before);
    let before = process();
    run(&["systemctl", "start", "free"]);
    run(&["systemctl", "stop", "free"]);
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!((process(), is_active("free")), (before, false));

    // The quietest of some seconds: what is still being tidied up after the last change is no polling.
    let cpu = || rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let second = || {
        let begun = cpu();
        std::thread::sleep(Duration::from_secs(1));
        let used = cpu() - begun;
        used.tv_sec * 1_000_000 + used.tv_nsec / 1_000
    };
    let quietest = (0..8).map(|_| second()).min().unwrap();
    assert!(quietest < 2_000, "{quietest} µs in the quietest second without any news");
    daemon.follow(wanted);
}

fn does_not_try_for_ever(daemon: &mut Daemon) {
    let unit = "[Service]\nExecStart=sh -c 'echo try >> /run/tries; exit 7'\n";
    fs::write("/etc/systemd/system/falls.service", unit).unwrap();
    run(&["systemctl", "daemon-reload"]);
    daemon.follow(&json!({"services/falls": {"running": true}, "services/probe": {"running": true}}));
    std::thread::sleep(Duration::from_secs(4));
    let tries = lines("/run/tries");
    std::thread::sleep(Duration::from_secs(2));
    // That of the sweep, its second look, and those that its own events led to.
    assert!((1..=6).contains(&tries) && lines("/run/tries") == tries, "{tries} tries, and {}", lines("/run/tries"));
    run(&["systemctl", "stop", "probe"]);
    wait_for("the other service", || is_active("probe"));
}

fn waits_for_an_installation(daemon: &mut Daemon) {
    daemon.follow(&json!({"services/probe": {"running": true}, "packages/dpkg": {}}));
    // A lock as dpkg takes it, for three seconds, and what an upgrade does to a service and the database.
    let held = "use Fcntl; open(F, '+>>', '/var/lib/dpkg/lock-frontend') or die; \
                my $lock = pack('s s x4 q q l x4', F_WRLCK, 0, 0, 0, 0); \
                fcntl(F, F_SETLK, $lock) or die; \
                system('systemctl stop probe; cp -a /var/lib/dpkg/status /run/s; mv /run/s /var/lib/dpkg/status'); \
                sleep 3";
    let mut installer = Command::new("perl").args(["-e", held]).spawn().unwrap();
    wait_for("the stop", || !is_active("probe"));
    while installer.try_wait().unwrap().is_none() {
        assert!(!is_active("probe"), "it was started in the middle of an installation");
        std::thread::sleep(Duration::from_millis(100));
    }
    wait_for("the service after the installation", || is_active("probe"));
}

fn heals_accounts(daemon: &mut Daemon) {
    run(&["useradd", "--shell", "/bin/sh", "drifter"]);
    daemon.follow(&json!({"users/drifter": {"shell": "/bin/sh", "groups": ["games"]}, "groups/drifters": {}}));
    let shell = || run(&["getent", "passwd", "drifter"]).rsplit(':').next().map(str::to_owned);
    run(&["usermod", "--shell", "/bin/false", "drifter"]);
    wait_for("a user's shell", || shell().as_deref() == Some("/bin/sh"));
    run(&["gpasswd", "--delete", "drifter", "games"]);
    wait_for("a membership", || run(&["id", "-nG", "drifter"]).contains("games"));
    run(&["groupdel", "drifters"]);
    wait_for("a group", || !run(&["getent", "group", "drifters"]).is_empty());
    run(&["userdel", "drifter"]);
    wait_for("a user", || !run(&["getent", "passwd", "drifter"]).is_empty());
}
