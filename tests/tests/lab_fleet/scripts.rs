//! Services on hosts that sysvinit has booted: with Debian's scripts, and with OpenRC.

use std::time::Duration;

use muster_tests::fleet::RealFleet;
use muster_tests::lab::{Host, Init};
use muster_tests::need;
use muster_tests::wait::wait_until;

use crate::web;

const SOON: Duration = Duration::from_secs(60);

/// nginx is there with Debian's script, off; `worker` and `found` have scripts as their manager likes them.
const APPLICATION: &str = r#"
resources:
  files:
    /etc/nginx/conf.d/site.conf:
      content: "server { listen 8080; location / { return 200 hello; } }\n"
  services:
    nginx: {running: true, enabled: true, restart_on: [files/etc/nginx/conf.d/site.conf]}
    worker: {running: true, enabled: true}
    found: {running: false, enabled: false}
"#;

const OPENRC_SCRIPT: &str = "#!/sbin/openrc-run
supervisor=supervise-daemon
command=/usr/local/bin/NAME
command_args=infinity
pidfile=/run/NAME.pid
";

const SYSV_SCRIPT: &str = "#!/bin/sh
### BEGIN INIT INFO
# Provides:          NAME
# Required-Start:    $remote_fs
# Required-Stop:     $remote_fs
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
### END INIT INFO
daemon='start-stop-daemon --pidfile /run/NAME.pid --exec /usr/local/bin/NAME'
case $1 in
start) $daemon --start --oknodo --background --make-pidfile -- infinity ;;
stop) $daemon --stop --oknodo --remove-pidfile ;;
restart) $0 stop; $0 start ;;
status) $daemon --status ;;
*) exit 3 ;;
esac
";

/// How a person works on such a host.
struct Tools {
    init: Init,
    script: &'static str,
    run: &'static str,
    enable: &'static str,
    disable: &'static str,
    /// What starts at boot, a line each.
    enabled: &'static str,
}

const OPENRC: Tools = Tools {
    init: Init::OpenRc,
    script: OPENRC_SCRIPT,
    run: "rc-service NAME",
    enable: "rc-update add NAME default",
    disable: "rc-update del NAME default",
    enabled: "rc-update show | tr -s ' ' | grep -E ' (nginx|worker|found) '",
};

const SYSV: Tools = Tools {
    init: Init::SysV,
    script: SYSV_SCRIPT,
    run: "service NAME",
    enable: "update-rc.d NAME defaults && update-rc.d NAME enable",
    disable: "update-rc.d NAME disable",
    enabled: "cd /etc; ls rc?.d/S* | grep -E '(nginx|worker|found)$'",
};

#[test]
fn lab_services_of_openrc_run_heal_and_go_back() {
    check(&OPENRC);
}

#[test]
fn lab_services_of_system_v_run_heal_and_go_back() {
    check(&SYSV);
}

fn check(tools: &Tools) {
    if !need::has(need::LAB) || !need::has(need::BROKER) {
        return;
    }
    let mut real = RealFleet::start_with(tools.init, ["web-1"]).unwrap();
    let host = &real.hosts[0];
    assert_eq!(host.exec("cat /proc/1/comm; test ! -e /run/systemd/system; runlevel").unwrap(), "init\nN 2");
    prepare(host, tools);
    real.approve_all("").unwrap();
    let found = look(host, tools);
    assert_eq!(running(&found), ["found"]);

    let publish = |real: &RealFleet<1>, application: &str| {
        real.fleet.repository.write("applications/web/application.yaml", application.trim_start()).unwrap();
        real.fleet.repository.write("environments/production/environment.yaml", web::ASSIGNED).unwrap();
        let commit = real.fleet.repository.publish("web: Say what runs").unwrap();
        real.fleet.wait_synced("web-1", &commit).unwrap();
    };
    publish(&real, APPLICATION);
    let settled = look(host, tools);
    assert_eq!(running(&settled), ["nginx", "worker"]);
    for name in ["nginx", "worker"] {
        assert!(settled[0].contains(name), "{settled:?}");
    }
    assert!(!settled[0].contains("found"), "{settled:?}");
    assert_eq!(web::answer(host), "hello");

    // What is right is left alone, sweep after sweep.
    let ids = host.exec(IDS).unwrap();
    let swept = real.fleet.fetch("hosts/web-1").unwrap();
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(host.exec(IDS).unwrap(), ids);
    let now = real.fleet.fetch("hosts/web-1").unwrap();
    for name in ["nginx", "worker", "found"] {
        let address = format!("services/{name}");
        assert_eq!(web::corrections(&now, &address), web::corrections(&swept, &address), "{now}");
    }

    for (name, drift) in [
        ("nginx", format!("{} stop", tools.run)),
        ("nginx", "pkill -KILL nginx".to_owned()),
        ("nginx", tools.disable.to_owned()),
        ("worker", format!("{} stop", tools.run)),
        ("worker", tools.disable.to_owned()),
        ("found", format!("{} start", tools.run)),
        ("found", tools.enable.to_owned()),
    ] {
        heals(&real, tools, name, &drift.replace("NAME", name), &settled);
    }

    // By a file that a service depends on, its process becomes another one; the others stay.
    let ids = host.exec(IDS).unwrap();
    publish(&real, &APPLICATION.replace("hello", "bye"));
    wait_until("the new greeting", SOON, || web::answer(host) == "bye").unwrap();
    let now = host.exec(IDS).unwrap();
    let [(nginx, worker), (nginx_now, worker_now)] = [&ids, &now].map(|ids| ids.split_once('\n').unwrap());
    assert_ne!(nginx, nginx_now);
    assert_eq!(worker, worker_now);

    // By its own script the agent is there again after a boot, and has nothing to do.
    real.hosts[0].reboot().unwrap();
    let host = &real.hosts[0];
    wait_settled(host, tools, &settled, "the boot");
    let commit = real.fleet.repository.publish_revert("HEAD").unwrap();
    real.fleet.wait_synced("web-1", &commit).unwrap();
    wait_until("the old greeting", SOON, || web::answer(host) == "hello").unwrap();

    real.fleet.repository.write("environments/production/environment.yaml", "labels: {}\n").unwrap();
    let left = real.fleet.repository.publish("production: No more of it").unwrap();
    real.fleet.wait_synced("web-1", &left).unwrap();
    assert_eq!(look(host, tools), found);
    host.exec(&format!("{} stop", tools.run.replace("NAME", "muster-agent"))).unwrap();
    assert!(!host.holds("pgrep --exact muster-agent"), "it ends by its script");
}

/// The first processes of what runs. A script that is asked for its state has the name of its service meanwhile.
const IDS: &str = "cat /run/nginx.pid; pgrep --full --exact '/usr/local/bin/worker infinity'";

fn prepare(host: &Host, tools: &Tools) {
    host.exec("DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes nginx >/dev/null 2>&1").unwrap();
    for name in ["worker", "found"] {
        host.write_file(&format!("/etc/init.d/{name}"), tools.script.replace("NAME", name)).unwrap();
        host.exec(&format!("chmod 755 /etc/init.d/{name}; cp /bin/sleep /usr/local/bin/{name}")).unwrap();
    }
    let lines = [(tools.run.to_owned() + " stop", "nginx"), (tools.disable.to_owned(), "nginx")];
    let more = [(tools.enable.to_owned(), "found"), (tools.run.to_owned() + " start", "found")];
    for (line, name) in lines.into_iter().chain(more) {
        host.exec(&line.replace("NAME", name)).unwrap();
    }
}

fn heals(real: &RealFleet<1>, tools: &Tools, name: &str, drift: &str, settled: &[String; 3]) {
    let host = &real.hosts[0];
    let address = format!("services/{name}");
    let corrections = web::corrections(&real.fleet.fetch("hosts/web-1").unwrap(), &address);
    host.exec(drift).unwrap();
    real.fleet
        .wait_host("web-1", &format!("the correction of `{drift}`"), |host| {
            host["health"] == "Healthy" && web::corrections(host, &address) > corrections
        })
        .unwrap();
    wait_settled(host, tools, settled, drift);
}

fn wait_settled(host: &Host, tools: &Tools, settled: &[String; 3], after: &str) {
    let healed = wait_until("", SOON, || look(host, tools) == *settled);
    assert!(healed.is_ok(), "after `{after}`: {:#?}\ninstead of {settled:#?}", look(host, tools));
}

/// What starts at boot, which run, and the processes that there are.
fn look(host: &Host, tools: &Tools) -> [String; 3] {
    let run = tools.run.replace("NAME", "$name");
    let status = format!("for name in nginx worker found; do {run} status >/dev/null 2>&1 && echo $name; done");
    [tools.enabled, &status, "ps -eo args= | grep -E '^(nginx: master|/usr/local/bin/(worker|found) )' | sort -u"]
        .map(|line| host.exec(&format!("({line}) || true")).unwrap())
}

fn running(look: &[String; 3]) -> Vec<&str> {
    look[1].lines().collect()
}
