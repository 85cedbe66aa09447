//! What the host itself is made of: keys, rules, parameters, names, mounts, firewall. Asked of the host's own tools.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use muster_tests::fleet::{RealFleet, SOON};
use muster_tests::lab::Host;
use muster_tests::need;
use muster_tests::wait::wait_until;

use crate::web::corrections;

const APPLICATION: &str = "applications/system/application.yaml";
const PRODUCTION: &str = "environments/production/environment.yaml";
const DRIFT: Duration = Duration::from_secs(90);
/// Long enough for an agent beside a build to reach the orchestrator.
const CONFIRM_WITHIN: &str = "confirm_within: 20s\n";

const RESOURCES: &str = r#"resources:
  authorized_keys:
    kim:
      user: kim
      exclusive: true
      keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK/e2cofxeJdwwby7Fax+xWKBv97+O9RhjE9c3EHVAx6 kim@example.org]
    operators:
      user: root
      keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEZTo34EKnsXzy2B+O6IPEhp9FQMULheP1z7UfKGSRa/ root@example.org]
  sudo_rules:
    web.prod: {users: [kim], tags: [NOPASSWD], commands: [/usr/bin/id]}
  sysctls:
    net.ipv4.ip_forward: {value: 1}
    net.ipv4.ip_local_port_range: {value: "20000 30000"}
  hosts:
    db.example.org: {addresses: [10.0.0.5], aliases: [db]}
  hostname:
    system: {name: web-1.example.org}
  timezone:
    system: {zone: Europe/Berlin}
  locale:
    system: {lang: C.UTF-8, variables: {LC_TIME: POSIX}, generate: [de_LI.UTF-8 UTF-8]}
  kernel_modules:
    pcspkr: {blacklisted: true, options: {beep: 1}}
  directories:
    /srv/cache: {}
    /srv/source: {}
    /srv/shown: {}
  files:
    /srv/source/mark: {content: "shown\n"}
  mounts:
    /srv/cache: {what: tmpfs, type: tmpfs, options: "size=1m,mode=0755"}
    /srv/shown: {what: /srv/source, options: "bind,ro", requires: [directories/srv/source]}
  firewall:
    default: {policy: drop}
    web: {ports: [8080]}
  services:
    nftables: {enabled: true}
  certificates:
    web:
      key: /etc/ssl/private/web.key
      certificate: /etc/ssl/web.pem
      names: [web-1.example.org, 10.0.0.5]
      days: 90
      mode: "0640"
"#;

/// What stood there before anybody managed the host.
const FOUND: &str = r"useradd --create-home kim
install -d -m 700 -o kim -g kim /home/kim/.ssh
echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILWFjpHRZIZhbyurXczxOqXesd3vt7bQZZnQioAIb3oH found' >/home/kim/.ssh/authorized_keys
printf '127.0.0.1\tlocalhost # own\n10.0.0.9\tdb.example.org\n' >/etc/hosts
printf 'LANG=C\nLC_TIME=C.UTF-8\n' >/etc/default/locale
nft add table inet somebody";

/// Everything that a part could leave behind.
const LOOKS: [&str; 10] = [
    "cat /home/kim/.ssh/authorized_keys; stat -c '%a %U' /home/kim/.ssh/*; ls -A /root; true",
    "visudo -c -q; ls -A /etc/sudoers.d; cat /etc/hosts",
    "sysctl net.ipv4.ip_forward net.ipv4.ip_local_port_range; ls -A /etc/sysctl.d",
    "hostname; cat /etc/hostname; readlink /etc/localtime; cat /etc/timezone",
    "cat /etc/default/locale /etc/locale.gen; locale -a",
    "ls -A /etc/modprobe.d /etc/modules-load.d; modprobe --showconfig | grep pcspkr; true",
    "cat /etc/fstab; findmnt -rn -o TARGET,FSTYPE | grep /srv; ls -A /srv",
    "nft list ruleset; cat /etc/nftables.conf; ls -A /etc | grep nftables",
    "systemctl is-enabled nftables; true",
    "ls -A /etc/ssl",
];

/// An address, what holds where it is right, and what takes it away.
const PARTS: [(&str, &str, &[&str]); 13] = [
    (
        "authorized_keys/kim",
        "[ \"$(cut -d' ' -f3 /home/kim/.ssh/authorized_keys)\" = kim@example.org ]",
        &["echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIevil evil' >>/home/kim/.ssh/authorized_keys"],
    ),
    (
        "authorized_keys/operators",
        "grep -q root@example.org ~/.ssh/authorized_keys && [ \"$(stat -c %a ~/.ssh/ ~/.ssh/* | xargs)\" = '700 600' ]",
        // In one step: the agent would put the keys back between the removal of the file and that of the folder.
        &["mv ~/.ssh ~/gone && rm -r ~/gone"],
    ),
    (
        "sudo_rules/web.prod",
        "visudo -c -q && [ \"$(runuser -u kim -- sudo -n id -u)\" = 0 ] && ! runuser -u kim -- sudo -n true 2>/dev/null",
        &[
            "rm /etc/sudoers.d/web%2eprod",
            "echo 'kim ALL = NOPASSWD: ALL' >/etc/sudoers.d/web%2eprod",
            "chmod 666 /etc/sudoers.d/web%2eprod",
        ],
    ),
    (
        "sysctls/net.ipv4.ip_forward",
        "[ $(sysctl -n net.ipv4.ip_forward) = 1 ] && grep -qx 'net.ipv4.ip_forward = 1' /etc/sysctl.d/*",
        &["sysctl -q -w net.ipv4.ip_forward=0", "rm /etc/sysctl.d/zz-muster.conf"],
    ),
    (
        "sysctls/net.ipv4.ip_local_port_range",
        "sysctl -n net.ipv4.ip_local_port_range | grep -qx '20000.30000'",
        &["sysctl -q -w net.ipv4.ip_local_port_range='30000 40000'"],
    ),
    (
        "hosts/db.example.org",
        "[ \"$(grep db.example /etc/hosts | xargs)\" = '10.0.0.5 db.example.org db' ] && getent hosts db | grep -q 10.0.0.5",
        &["echo '10.0.0.6 db.example.org' >>/etc/hosts", "sed -i /db.example/d /etc/hosts"],
    ),
    (
        "hostname/system",
        "[ $(hostname) = web-1.example.org ] && [ $(cat /etc/hostname) = web-1.example.org ]",
        &["hostname other", "echo other >/etc/hostname"],
    ),
    (
        "timezone/system",
        "[ $(readlink -f /etc/localtime) = $(readlink -f /usr/share/zoneinfo/Europe/Berlin) ] && grep -qx Europe/Berlin /etc/timezone && date +%Z | grep -q '^CES*T$'",
        &["ln -sf /usr/share/zoneinfo/Asia/Tokyo /etc/localtime", "echo Asia/Tokyo >/etc/timezone"],
    ),
    (
        "locale/system",
        "[ \"$(grep -v ^# /etc/default/locale | sort | xargs)\" = 'LANG=C.UTF-8 LC_TIME=POSIX' ] && locale -a | grep -q de_LI.utf8 && grep -q ^de_LI /etc/locale.gen",
        &["echo LANG=C >/etc/default/locale", "sed -i 's/^de_LI/# de_LI/' /etc/locale.gen"],
    ),
    (
        "kernel_modules/pcspkr",
        "[ \"$(modprobe --showconfig | grep -c -e '^blacklist pcspkr$' -e '^options pcspkr beep=1$')\" = 2 ]",
        &["rm /etc/modprobe.d/muster-pcspkr.conf"],
    ),
    (
        "mounts/srv/cache",
        "findmnt -rn -t tmpfs -o OPTIONS /srv/cache | grep -q size=1024k && [ $(grep -c '^tmpfs /srv/cache tmpfs ' /etc/fstab) = 1 ]",
        &["umount /srv/cache", "sed -i /srv.cache/d /etc/fstab"],
    ),
    (
        "mounts/srv/shown",
        "grep -q shown /srv/shown/mark && ! touch /srv/shown/mark 2>/dev/null && findmnt --verify -s >/dev/null",
        &["umount /srv/shown"],
    ),
    (
        "certificates/web",
        "cd /etc/ssl && openssl verify -CAfile web.pem -verify_hostname web-1.example.org -verify_ip 10.0.0.5 web.pem \
            && [ \"$(openssl x509 -in web.pem -noout -pubkey)\" = \"$(openssl pkey -in private/web.key -pubout)\" ] \
            && openssl x509 -in web.pem -noout -checkend 7700000 && ! openssl x509 -in web.pem -noout -checkend 7800000 \
            && [ \"$(stat -c '%a %U' private/web.key web.pem | xargs)\" = '640 root 644 root' ]",
        &[
            "rm /etc/ssl/web.pem",
            "chmod 644 /etc/ssl/private/web.key",
            "openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -out /etc/ssl/web.pem -subj /CN=x 2>/dev/null \
                -days 90 -addext subjectAltName=DNS:web-1.example.org,IP:10.0.0.5",
            "openssl req -x509 -key /etc/ssl/private/web.key -out /etc/ssl/web.pem -subj /CN=x -days 90",
        ],
    ),
];

const FIREWALL: &str = "nft list chain inet muster input | grep -q 'tcp dport 8080 accept' \
    && nft list chain inet muster input | grep -q 'policy drop' && nft list tables | grep -q somebody \
    && nft -c -f /etc/nftables.conf && grep -q 'tcp dport { 8080 } accept' /etc/nftables.d/muster.nft \
    && grep -q nftables.d /etc/nftables.conf";
const FIREWALL_DRIFTS: [&str; 4] = [
    "nft flush chain inet muster input",
    "nft delete table inet muster",
    "rm /etc/nftables.d/muster.nft",
    "sed -i /nftables.d/d /etc/nftables.conf",
];

fn saved(host: &Host) -> Vec<String> {
    LOOKS.iter().map(|line| host.exec(line).unwrap()).collect()
}

/// What comes of a connection from outside to a port where nobody listens.
fn knock(host: &Host, port: u16) -> Option<ErrorKind> {
    let address = SocketAddr::from((host.address(), port));
    TcpStream::connect_timeout(&address, Duration::from_secs(1)).err().map(|error| error.kind())
}

fn lets_in(host: &Host, open: u16, shut: u16) -> bool {
    knock(host, open) == Some(ErrorKind::ConnectionRefused) && knock(host, shut) == Some(ErrorKind::TimedOut)
}

/// Takes it away, and waits until it is right again and reported as put right.
fn heals(real: &RealFleet<1>, address: &str, drift: &str, right: impl Fn(&Host) -> bool) {
    let [host] = &real.hosts;
    let before = corrections(&real.fleet.fetch("hosts/web-1").unwrap(), address);
    host.exec(drift).unwrap();
    wait_until(&format!("`{drift}` to heal"), DRIFT, || right(host)).unwrap();
    real.fleet
        .wait_host("web-1", &format!("the correction of `{drift}`"), |host| corrections(host, address) > before)
        .unwrap();
}

#[test]
fn lab_system_parts_are_pushed_heal_outlive_a_boot_and_go_back_to_what_was_found() {
    if !need::has(need::LAB) || !need::has(need::BROKER) {
        return;
    }
    let mut real = RealFleet::start(["web-1"]).unwrap();
    let [host] = &real.hosts;
    let settings = host.read_file("/etc/muster/agent.yaml").unwrap();
    host.write_file("/etc/muster/agent.yaml", settings + CONFIRM_WITHIN).unwrap();
    host.exec("systemctl restart muster-agent").unwrap();
    host.exec(FOUND).unwrap();
    real.approve_all("").unwrap();
    let found = saved(host);

    real.fleet.repository.write(APPLICATION, RESOURCES).unwrap();
    real.fleet.repository.write(PRODUCTION, "applications: {system: {}}\n").unwrap();
    let pushed = real.fleet.repository.publish("production: Set up the system").unwrap();
    real.fleet.wait_synced("web-1", &pushed).unwrap();
    for (address, right, _) in &PARTS {
        assert!(host.holds(right), "{address}: {right}");
    }
    assert!(host.holds(FIREWALL) && lets_in(host, 8080, 8081), "{}", saved(host).join("\n"));

    for (address, right, drifts) in &PARTS {
        for drift in *drifts {
            heals(&real, address, drift, |host| host.holds(right));
        }
    }
    for drift in FIREWALL_DRIFTS {
        heals(&real, "firewall/web", drift, |host| host.holds(FIREWALL) && lets_in(host, 8080, 8081));
    }

    // A boot alone brings all of it back, without an agent that heals.
    real.hosts[0].exec("systemctl disable --now --quiet muster-agent").unwrap();
    real.hosts[0].reboot().unwrap();
    let [host] = &real.hosts;
    for (address, right, _) in &PARTS {
        assert!(host.holds(right), "{address} after a boot: {right}");
    }
    host.exec("nft delete table inet filter; nft add table inet somebody").unwrap();
    assert!(host.holds(FIREWALL) && lets_in(host, 8080, 8081), "{}", saved(host).join("\n"));
    host.exec("systemctl enable --now --quiet muster-agent").unwrap();
    real.fleet.wait_synced("web-1", &pushed).unwrap();

    a_firewall_that_cuts_the_host_off_goes_back(&real);

    real.fleet.repository.write(PRODUCTION, "labels: {}\n").unwrap();
    let left = real.fleet.repository.publish("production: Leave the system alone").unwrap();
    real.fleet.wait_synced("web-1", &left).unwrap();
    for (now, then) in saved(host).iter().zip(&found) {
        assert_eq!(now, then);
    }
    assert_eq!(knock(host, 8081), Some(ErrorKind::ConnectionRefused));
    assert!(host.holds("openssl pkey -in /etc/ssl/private/web.key -noout"), "a key is never removed");
}

/// A host of the lab has no modules of its own: loading one fails, by modprobe's words, and hinders nothing else.
fn a_firewall_that_cuts_the_host_off_goes_back(real: &RealFleet<1>) {
    let [host] = &real.hosts;
    let moved = RESOURCES.replace("8080", "8081");
    let cut = format!("{moved}  commands:\n    cut: {{argv: [ip, link, set, host0, down], run_on: [firewall/web]}}\n")
        .replace("  kernel_modules:\n", "  kernel_modules:\n    muster_none: {loaded: true, persisted: false}\n");
    real.fleet.repository.write(APPLICATION, cut).unwrap();
    real.fleet.repository.publish("system: Move the port, and cut the host off").unwrap();
    wait_until("the host to be cut off", SOON, || host.holds("ip link show host0 | grep -q 'state DOWN'")).unwrap();
    assert!(host.holds("nft list chain inet muster input | grep -q 8081"), "the cut is to come after the change");
    wait_until("the firewall to come back", DRIFT, || host.holds(FIREWALL)).unwrap();
    assert!(!host.holds("nft list ruleset | grep -q 8081"));

    host.exec("ip link set host0 up").unwrap();
    let says = |view: &serde_json::Value, address: &str, words: &str| {
        let deviations = view["deviations"].as_array().map_or(&[][..], Vec::as_slice);
        let message = deviations.iter().find(|one| one["address"] == address).map(|one| one["message"].clone());
        message.is_some_and(|message| message.as_str().unwrap_or_default().contains(words))
    };
    real.fleet
        .wait_host_within(DRIFT, "web-1", "to say what was reverted", |view| {
            says(view, "firewall/web", "reverted") && says(view, "kernel_modules/muster_none", "modprobe")
        })
        .unwrap();
    assert!(lets_in(host, 8080, 8081));

    real.fleet.repository.write(APPLICATION, moved).unwrap();
    let last = real.fleet.repository.publish("system: Move the port alone").unwrap();
    real.fleet.wait_synced("web-1", &last).unwrap();
    assert!(lets_in(host, 8081, 8080));
}
