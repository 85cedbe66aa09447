//! Containers, run by the podman of a real host from a registry of its own.

use std::time::Duration;

use muster_tests::fleet::RealFleet;
use muster_tests::lab::Host;
use muster_tests::need;
use muster_tests::wait::wait_until;

use crate::web;

const SOON: Duration = Duration::from_secs(60);

/// podman, a registry on loopback with two images, and one that was fetched before.
///
/// In a host that is a container itself, podman cannot lay one overlay on another, has no keyring, and finds the
/// control groups read-only: the lab's settings say so.
const PREPARE: &str = r#"set -e
cd /
DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends --yes \
    podman crun conmon docker-registry busybox-static >/dev/null 2>&1
cat >/etc/containers/storage.conf <<END
[storage]
driver = "vfs"
runroot = "/run/containers/storage"
graphroot = "/var/lib/containers/storage"
END
cat >/etc/containers/containers.conf <<END
[containers]
keyring = false
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "lab"
[engine.runtimes]
lab = ["/usr/local/bin/crun-lab"]
END
printf '#!/bin/sh\nexec /usr/bin/crun --cgroup-manager=disabled "$@"\n' >/usr/local/bin/crun-lab
chmod 755 /usr/local/bin/crun-lab
printf '[[registry]]\nlocation = "localhost:5000"\ninsecure = true\n' >/etc/containers/registries.conf.d/lab.conf
cat >/etc/docker/registry/config.yml <<END
version: 0.1
storage: {filesystem: {rootdirectory: /var/lib/docker-registry}}
http: {addr: "127.0.0.1:5000"}
END
systemctl restart docker-registry
mkdir -p /srv/web /tmp/image/bin /tmp/image/etc /tmp/image/tmp
cp /bin/busybox /tmp/image/bin
ln -s busybox /tmp/image/bin/sh
for version in first second; do
    echo $version >/tmp/image/version
    tar -C /tmp/image -c . | podman import --quiet - localhost:5000/lab:$version
    podman push --quiet --digestfile /tmp/$version localhost:5000/lab:$version
    podman rmi localhost:5000/lab:$version
done
podman pull --quiet localhost:5000/lab@$(cat /tmp/second)
podman run --detach --name mine --network none localhost:5000/lab@$(cat /tmp/second) /bin/busybox sleep 100000
"#;

/// A unit that stood where ours is to stand.
const FOUND: &str = "[Service]\nExecStart=/bin/sleep 100001\n";

const APPLICATION: &str = r#"
resources:
  files:
    /srv/web/greeting: {content: "hello\n"}
    /srv/other: {content: "alpha\n"}
  containers:
    web:
      image: localhost:5000/lab@IMAGE
      command:
        - /bin/busybox
        - sh
        - -c
        - trap "exit 0" TERM; /bin/busybox cp /version "/srv/$WHO"; /bin/busybox sleep 100002 & wait
      environment: {WHO: "$HOME %n"}
      volumes: ["/srv/web:/srv"]
      network: host
      restart: "no"
      restart_on: [files/srv/web/greeting]
    found:
      image: localhost:5000/lab@IMAGE
      command: [/bin/busybox, sh, -c, 'trap "exit 0" TERM; /bin/busybox sleep 100003 & wait']
      user: "1000:1000"
      network: none
"#;

#[test]
fn lab_containers_run_heal_follow_their_image_and_go() {
    if !need::has(need::LAB) || !need::has(need::BROKER) {
        return;
    }
    let real = RealFleet::start(["web-1"]).unwrap();
    let [host] = &real.hosts;
    host.exec(PREPARE).unwrap();
    host.write_file("/etc/systemd/system/muster-container@found.service", FOUND).unwrap();
    host.exec("systemctl daemon-reload").unwrap();
    let [first, second] = ["first", "second"].map(|version| host.exec(&format!("cat /tmp/{version}")).unwrap());
    real.approve_all("").unwrap();
    let before = look(host);

    let publish = |application: &str| {
        let application = application.trim_start();
        real.fleet.repository.write("applications/web/application.yaml", application).unwrap();
        real.fleet.repository.write("environments/production/environment.yaml", web::ASSIGNED).unwrap();
        let commit = real.fleet.repository.publish("web: Say what runs").unwrap();
        real.fleet.wait_synced("web-1", &commit).unwrap();
    };
    publish(&APPLICATION.replace("IMAGE", &first));
    for (name, program) in [("web", "sleep 100002"), ("found", "sleep 100003")] {
        let unit = format!("muster-container@{name}");
        assert_eq!(
            host.exec(&format!("systemctl is-active {unit}; systemctl is-enabled {unit}")).unwrap(),
            "active\nenabled"
        );
        // It is a process of the host's, in the unit, and of the image's root.
        let process = format!("$(podman inspect --format '{{{{.State.Pid}}}}' {name})");
        assert!(host.holds(&format!("tr '\\0' ' ' </proc/{process}/cmdline | grep -q '{program}'")), "{name}");
        assert!(host.holds(&format!("grep -q {unit}.service /proc/{process}/cgroup")), "{name}");
        assert_eq!(host.exec(&format!("cat /proc/{process}/root/version")).unwrap(), "first");
    }
    assert_eq!(
        host.exec("stat -c %u:%g /proc/$(podman inspect --format '{{.State.Pid}}' found)").unwrap(),
        "1000:1000"
    );
    // Its variables are as they were written, through systemd and podman.
    assert_eq!(host.read_file("/srv/web/$HOME %n").unwrap(), "first\n");

    // One change is one start, and no change is none: a commit about something else, a run that finds all as it is.
    let mut starts = [1, 1];
    let check_starts = |expected: [usize; 2], after: &str| {
        assert_eq!(["web", "found"].map(|name| starts_of(host, name)), expected, "starts after {after}");
    };
    check_starts(starts, "the first run");
    publish(&APPLICATION.replace("IMAGE", &first).replace("alpha", "beta"));
    assert_eq!(host.read_file("/srv/other").unwrap(), "beta\n");
    let url = format!("{}/api/v1/hosts/web-1/v1/converge", real.fleet.api_url());
    let answer = ureq::post(&url).send_empty().unwrap().body_mut().read_to_string().unwrap();
    assert!(answer.contains("\"finished\":true"), "{answer}");
    check_starts(starts, "runs that change nothing of them");

    let settled = look(host);
    let drifts = [
        ("podman kill web", 1),
        ("podman rm --force web", 1),
        ("systemctl stop --no-block muster-container@web", 1),
        ("systemctl disable --quiet muster-container@web", 0),
        ("rm /etc/systemd/system/muster-container@web.service; systemctl daemon-reload", 1),
        ("sed -i 's/100002/100004/' /etc/systemd/system/muster-container@web.service", 1),
    ];
    for (drift, restarts) in drifts {
        let corrections = web::corrections(&real.fleet.fetch("hosts/web-1").unwrap(), "containers/web");
        host.exec(drift).unwrap();
        real.fleet
            .wait_host("web-1", &format!("the correction of `{drift}`"), |host| {
                host["health"] == "Healthy" && web::corrections(host, "containers/web") > corrections
            })
            .unwrap();
        wait_settled(host, &settled, drift);
        starts[0] += restarts;
        check_starts(starts, drift);
    }
    // Where systemd restarts it, there is nothing to put right.
    let container = running(host, "found");
    host.exec("podman kill found").unwrap();
    wait_until("systemd to start it again", SOON, || running(host, "found").is_some_and(|now| Some(now) != container))
        .unwrap();
    wait_settled(host, &settled, "podman kill found");
    starts[1] += 1;
    check_starts(starts, "podman kill found");

    let containers = ["web", "found"].map(|name| running(host, name));
    publish(&APPLICATION.replace("IMAGE", &first).replace("hello", "good day"));
    assert_ne!(running(host, "web"), containers[0]);
    starts[0] += 1;
    check_starts(starts, "a change of what it is restarted on");
    // Another image, and at once a change of what it is restarted on: that is one start too.
    publish(&APPLICATION.replace("IMAGE", &second).replace("hello", "good night"));
    assert_ne!(running(host, "found"), containers[1]);
    starts = starts.map(|count| count + 1);
    check_starts(starts, "another image");
    assert_eq!(host.read_file("/srv/web/$HOME %n").unwrap(), "second\n");
    // What was fetched and is of no more use is gone.
    assert_eq!(images(host), [format!("localhost:5000/lab {second}")]);

    host.exec("rm '/srv/web/$HOME %n'").unwrap();
    real.fleet.repository.write("environments/production/environment.yaml", "labels: {}\n").unwrap();
    let left = real.fleet.repository.publish("production: No more of it").unwrap();
    real.fleet.wait_synced("web-1", &left).unwrap();
    assert_eq!(look(host), before);
    assert_eq!(host.read_file("/etc/systemd/system/muster-container@found.service").unwrap(), FOUND);
    assert!(!host.holds("pgrep --full 'sleep 10000[1-9]'"));
}

fn wait_settled(host: &Host, settled: &[String; 4], after: &str) {
    let healed = wait_until("", SOON, || look(host) == *settled);
    assert!(healed.is_ok(), "after `{after}`: {:#?}\ninstead of {settled:#?}", look(host));
}

/// The id of a container that runs.
fn running(host: &Host, name: &str) -> Option<String> {
    let id = host.exec(&format!("podman ps --quiet --no-trunc --filter name=^{name}$")).ok()?;
    (!id.is_empty()).then_some(id)
}

/// How often podman has started it, by podman's own log.
fn starts_of(host: &Host, name: &str) -> usize {
    let events = host.exec("podman events --stream=false --filter event=start --format '{{.Name}}'").unwrap();
    events.lines().filter(|one| *one == name).count()
}

fn images(host: &Host) -> Vec<String> {
    let all = host.exec("podman images --digests --format '{{.Repository}} {{.Digest}}' | sort").unwrap();
    all.lines().map(str::to_owned).collect()
}

/// What is on the disk, and what systemd and podman make of it.
fn look(host: &Host) -> [String; 4] {
    [
        "find /etc/systemd/system /etc/containers /srv -printf '%p %y %m %u %g %l\n' | sort",
        "sha256sum /etc/systemd/system/muster-container@* || true",
        "systemctl show -P LoadState -P ActiveState -P UnitFileState -P NeedDaemonReload \
            muster-container@web muster-container@found",
        "podman ps --all --format '{{.Names}} {{.Image}} {{.Exited}}' | sort; podman images --quiet --digests | sort",
    ]
    .map(|line| host.exec(line).unwrap())
}
