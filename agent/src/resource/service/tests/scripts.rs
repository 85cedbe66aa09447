//! OpenRC and System V init, by their own programs in a copy of this machine that nothing has booted.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use rustix::process::{Pid, Signal, WaitOptions};
use std::time::Duration;

use muster_schema::state::ResourceState;
use serde_json::{Value, json};

use crate::resource::test_converger::{converge, converge_wholly, outcome_of};
use crate::test_machine::enter;

/// What OpenRC makes when it boots.
const OPENRC_FOLDERS: [&str; 12] = [
    "daemons",
    "exclusive",
    "failed",
    "hotplugged",
    "inactive",
    "options",
    "scheduled",
    "started",
    "starting",
    "stopping",
    "tmp",
    "wasinactive",
];

/// Debian's OpenRC starts daemons by dpkg's tool, and does not see by itself that one fell.
const OPENRC_SCRIPT: &str = "#!/sbin/openrc-run
command=/bin/sleep
command_args=infinity
command_background=true
pidfile=/run/$RC_SVCNAME.pid
status() { start-stop-daemon --status --pidfile $pidfile --exec $command; }
";

const SYSV_SCRIPT: &str = "#!/bin/sh
### BEGIN INIT INFO
# Provides:          NAME
# Required-Start:
# Required-Stop:
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
### END INIT INFO
daemon='start-stop-daemon --pidfile /run/NAME.pid --exec /bin/sleep'
case $1 in
start) $daemon --start --oknodo --background --make-pidfile -- infinity ;;
stop) $daemon --stop --oknodo --remove-pidfile ;;
restart) $0 stop; $0 start ;;
status) $daemon --status ;;
*) exit 3 ;;
esac
";

fn write_script(name: &str, text: &str) {
    let path = format!("/etc/init.d/{name}");
    fs::write(&path, text).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("set");
}

fn process(name: &str) -> String {
    fs::read_to_string(format!("/run/{name}.pid")).unwrap_or_default().trim().to_owned()
}

/// Whether its process is there; one that ended and nobody waited for is not.
fn runs(name: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process(name))).unwrap_or_default();
    stat.contains("(sleep)") && !stat.contains("(sleep) Z")
}

fn kill(name: &str) {
    let process = process(name).parse().ok().and_then(Pid::from_raw).expect("a process");
    rustix::process::kill_process(process, Signal::KILL).expect("killed");
    // This is the first process of the copy, which inherits what is left alone.
    rustix::process::waitpid(Some(process), WaitOptions::empty()).expect("waited for");
}

/// What both do alike: `probe` is made on, `found` off, and both come back.
fn check_services(is_enabled: impl Fn(&str) -> bool) {
    // It is put into the background by a program that does not wait for it.
    while !runs("found") {
        std::thread::sleep(Duration::from_millis(10));
    }
    let wanted = json!({
        "services/probe": {"running": true, "enabled": true},
        "services/found.service": {"running": false, "enabled": false},
        "services/not-there": {"running": false, "enabled": false},
    });
    assert!(!runs("probe") && !is_enabled("probe") && is_enabled("found"));
    converge_wholly(&wanted);
    assert!(runs("probe") && is_enabled("probe"), "{} {}", runs("probe"), is_enabled("probe"));
    assert!(!runs("found") && !is_enabled("found"), "{} {}", runs("found"), is_enabled("found"));
    let before = process("probe");
    converge_wholly(&wanted);
    assert_eq!(process("probe"), before, "what was right was left alone");

    kill("probe");
    converge_wholly(&wanted);
    assert!(runs("probe") && process("probe") != before);
    reacts_once();

    let outcomes = converge(&json!({
        "services/probe": {"masked": true},
        "services/x.timer": {"running": true},
        "services/no-such": {"running": true},
    }));
    for address in ["services/probe", "services/x.timer", "services/no-such"] {
        let outcome = outcome_of(&outcomes, address);
        assert_eq!(outcome.state, Some(ResourceState::Blocked), "{outcome:?}");
    }
    converge_wholly(&json!({}));
    assert!(!runs("probe") && !is_enabled("probe"), "{} {}", runs("probe"), is_enabled("probe"));
    assert!(runs("found") && is_enabled("found"), "{} {}", runs("found"), is_enabled("found"));
    kill("found");
}

fn reacts_once() {
    let wanted = |mode: &str, reaction: &str| -> Value {
        json!({
            "directories/etc/probe": {"mode": mode},
            "services/probe": {"running": true, "enabled": true, "meta": {reaction: ["directories/etc/probe"]}},
            "services/found.service": {"running": false, "enabled": false},
        })
    };
    converge_wholly(&wanted("0755", "restart_on"));
    for (mode, reaction) in [("0700", "restart_on"), ("0750", "reload_on")] {
        let before = process("probe");
        converge_wholly(&wanted(mode, reaction));
        assert!(runs("probe") && process("probe") != before, "{reaction}; it cannot reload, so it restarts");
    }
}

#[test]
fn openrc_starts_stops_and_goes_back() {
    if !Path::new("/sbin/openrc-run").exists() {
        println!("skipped: it needs the package openrc");
        return;
    }
    if !enter("resource::service::tests::scripts::openrc_starts_stops_and_goes_back") {
        return;
    }
    for folder in OPENRC_FOLDERS {
        fs::create_dir_all(format!("/run/openrc/{folder}")).expect("made");
    }
    fs::write("/run/openrc/softlevel", "default").expect("written");
    for name in ["probe", "found"] {
        write_script(name, OPENRC_SCRIPT);
    }
    for argv in [["rc-update", "add", "found", "default"], ["rc-service", "--", "found", "start"]] {
        assert!(Command::new(argv[0]).args(&argv[1..]).status().expect("runs").success(), "{argv:?}");
    }
    check_services(|name| fs::symlink_metadata(format!("/etc/runlevels/default/{name}")).is_ok());
}

#[test]
fn system_v_scripts_start_stop_and_go_back() {
    if !enter("resource::service::tests::scripts::system_v_scripts_start_stop_and_go_back") {
        return;
    }
    // Without the tools of other managers, whose signs they are.
    for tool in ["/sbin/rc-service", "/sbin/rc-update", "/sbin/openrc", "/sbin/insserv", "/usr/lib/insserv/insserv"] {
        let _ = fs::remove_file(tool);
    }
    for name in ["probe", "found"] {
        write_script(name, &SYSV_SCRIPT.replace("NAME", name));
    }
    for argv in [["update-rc.d", "found", "defaults"].as_slice(), ["/etc/init.d/found", "start"].as_slice()] {
        assert!(Command::new(argv[0]).args(&argv[1..]).status().expect("runs").success(), "{argv:?}");
    }
    check_services(|name| {
        let links = fs::read_dir("/etc/rc2.d").expect("there").flatten();
        links.map(|link| link.file_name()).any(|link| {
            let link = link.to_string_lossy();
            link.starts_with('S') && link.ends_with(name)
        })
    });
    write_script("mute", "#!/bin/sh\nexit 0\n");
    let outcomes = converge(&json!({"services/mute": {"running": true}}));
    let outcome = outcome_of(&outcomes, "services/mute");
    assert_eq!(outcome.state, Some(ResourceState::Blocked), "{outcome:?}");
}
