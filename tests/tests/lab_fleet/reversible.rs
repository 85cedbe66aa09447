//! What leaves the repository goes back, and what cannot be undone stays, out of use, and says why.

use std::time::Duration;

use muster_tests::fleet::RealFleet;
use muster_tests::need;
use muster_tests::wait::wait_until;

const APPLICATION: &str = "applications/team/application.yaml";
const ASSIGNED: &str = "applications: {team: {}}\n";
const LONG: Duration = Duration::from_secs(120);

const RESOURCES: &str = r#"resources:
  packages:
    muster-testpkg: {version: "1.0"}
  groups:
    crew: {gid: 4300, members: [found]}
    adm: {members: [found]}
  users:
    fresh: {create_home: true, groups: [crew]}
    writer: {create_home: true, password: "$6$salt$hash", shell: /bin/bash}
    busy: {uid: 4310}
    found: {comment: ours, shell: /bin/sh, locked: true}
  services:
    cron: {running: false, enabled: false}
"#;

/// What stood there before anybody managed the host.
const FOUND: &str = "useradd --create-home --shell /bin/bash --comment theirs found
printf 'found:$6$salt$theirs\\n' | chpasswd --encrypted";

/// What `observe` of the addresses that go back sees, and what could have been left behind.
const LOOKS: [&str; 6] = [
    "getent passwd | grep -v -e ^writer -e ^busy",
    "getent shadow | cut -d: -f1,2,4-9 | grep -v -e ^writer -e ^busy",
    "getent group | grep -v -e ^writer -e ^busy",
    "systemctl is-active cron; systemctl is-enabled cron; true",
    "ls -A /home | grep -v writer",
    "ls -A /home/found",
];

#[test]
fn lab_what_cannot_be_undone_is_out_of_use_and_says_why() {
    if !need::has(need::LAB) || !need::has(need::BROKER) {
        return;
    }
    let real = RealFleet::start(["web-1"]).unwrap();
    let [host] = &real.hosts;
    host.exec(FOUND).unwrap();
    let looks = || LOOKS.map(|look| host.exec(look).unwrap());
    let found = looks();
    real.fleet.repository.write(APPLICATION, RESOURCES).unwrap();
    real.approve_all(ASSIGNED).unwrap();
    for holds in [
        "id -nG fresh | grep -qw crew",
        "id -nG found | grep -qw adm",
        "passwd -S found | grep -q '^found L'",
        "muster-testpkg",
        "[ $(systemctl is-active cron) = inactive ]",
    ] {
        wait_until(&format!("`{holds}`"), LONG, || host.holds(holds)).unwrap();
    }

    // By now people use what was made for them.
    host.exec("echo 'years of work' >/home/writer/thesis; chown writer: /home/writer/thesis").unwrap();
    host.exec("setsid setpriv --reuid 4310 --clear-groups sleep 600 >/dev/null 2>&1 </dev/null &").unwrap();
    host.exec("apt-get -qq install muster-testdependent >/dev/null 2>&1").unwrap();
    real.fleet.repository.write(APPLICATION, "resources: {}\n").unwrap();
    real.fleet.repository.publish("team: Leave").unwrap();

    wait_until("the user of nobody to go", LONG, || host.holds("! getent passwd fresh")).unwrap();
    for (address, stays, reason) in [
        ("users/writer", "getent passwd writer", "its home holds files; it is locked"),
        ("users/busy", "getent passwd busy", "processes of it run; it is locked"),
        ("packages/muster-testpkg", "muster-testpkg", "muster-testdependent would be removed with it"),
    ] {
        assert!(host.holds(stays), "{address}");
        let said = format!("{address}: stays: {reason}");
        wait_until(&format!("`{said}` in the plan"), LONG, || {
            host.exec("muster-agent plan; true").is_ok_and(|plan| plan.contains(&said))
        })
        .unwrap();
        wait_until(&format!("{address} to be told"), LONG, || {
            let view = real.fleet.fetch("hosts/web-1").unwrap().to_string();
            view.contains(address) && view.contains(reason)
        })
        .unwrap();
    }
    assert!(host.holds("passwd -S writer | grep -q '^writer L'"), "locked");
    assert!(host.holds("chage -l writer | grep -q 'Account expires.*Jan 02, 1970'"), "and expired");
    assert_eq!(host.exec("cat /home/writer/thesis").unwrap(), "years of work");
    assert_eq!(looks(), found);

    // Once nothing stands against it, it goes with the next sweep, which a start is.
    host.exec("apt-get -qq remove muster-testdependent >/dev/null 2>&1; pkill -u 4310; rm /home/writer/thesis")
        .unwrap();
    host.exec("systemctl restart muster-agent").unwrap();
    for gone in ["! getent passwd writer", "! getent passwd busy", "! ls -d /home/writer", "! muster-testpkg"] {
        wait_until(&format!("`{gone}`"), LONG, || host.holds(gone)).unwrap();
    }
    assert!(
        !host.holds("dpkg-query -W -f '${db:Status-Status}' muster-testlib | grep -q ^installed"),
        "what it brought"
    );
}
