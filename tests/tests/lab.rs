//! The lab itself: real hosts boot, reach the test, install from the lab's repository, and leave nothing.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::io::Read;
use std::net::{TcpListener, TcpStream};

use muster_tests::lab::{GATEWAY, Lab};
use muster_tests::need;

#[test]
fn lab_two_hosts_boot_and_install_from_the_local_repository() {
    if !need::has(need::LAB) {
        return;
    }
    let mut lab = Lab::start().unwrap();
    let [one, two] = lab.boot_all(["one", "two"]).unwrap();
    assert_eq!(one.exec("hostname").unwrap(), "one");
    assert_eq!(two.exec("cat /proc/1/comm").unwrap(), "systemd");
    assert_ne!(one.read_file("etc/machine-id").unwrap(), two.read_file("etc/machine-id").unwrap());

    one.exec("DEBIAN_FRONTEND=noninteractive apt-get install -y nginx muster-testpkg=1.0").unwrap();
    assert!(one.holds("systemctl is-active nginx && systemctl is-enabled nginx"));
    assert_eq!(one.exec("muster-testpkg").unwrap(), "muster-testpkg 1.0");
    assert!(!two.path("/usr/sbin/nginx").exists(), "one host's disk is not the other's");

    // From here, and from the other host by the route that it would take.
    let mut answer = String::new();
    let mut stream = TcpStream::connect((one.address(), 80)).unwrap();
    std::io::Write::write_all(&mut stream, b"GET / HTTP/1.0\r\n\r\n").unwrap();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let listener = TcpListener::bind((GATEWAY, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    two.exec(&format!("bash -c 'exec 3<>/dev/tcp/{GATEWAY}/{port}'")).unwrap();

    // A unit stopped on one host is not stopped on the other.
    two.exec("DEBIAN_FRONTEND=noninteractive apt-get install -y nginx && systemctl stop nginx").unwrap();
    assert!(one.holds("systemctl is-active nginx"));
}

#[test]
fn lab_a_host_keeps_its_disk_over_power_off_and_power_cut() {
    if !need::has(need::LAB) {
        return;
    }
    let mut lab = Lab::start().unwrap();
    let mut host = lab.prepare("kept").unwrap();
    host.write_file("/etc/before", "first boot").unwrap();
    host.power_on().unwrap();
    host.wait_running().unwrap();
    assert_eq!(host.exec("cat /etc/before").unwrap(), "first boot");
    host.exec("echo inside >/etc/inside && sync").unwrap();
    let machine = host.read_file("/etc/machine-id").unwrap();

    host.reboot().unwrap();
    assert_eq!(host.exec("cat /etc/inside").unwrap(), "inside");
    host.power_cut().unwrap();
    assert_eq!(host.read_file("/etc/inside").unwrap(), "inside\n");
    assert!(host.exec("true").is_err(), "off");
    host.power_on().unwrap();
    host.wait_running().unwrap();
    assert_eq!(host.read_file("/etc/machine-id").unwrap(), machine);
}

#[test]
fn lab_leaves_nothing_outside() {
    if !need::has(need::LAB) {
        return;
    }
    let (folder, machine) = std::thread::spawn(|| {
        let mut lab = Lab::start().unwrap();
        let host = lab.boot("gone").unwrap();
        (lab.folder().to_owned(), host.exec("cat /proc/sys/kernel/random/boot_id").unwrap())
    })
    .join()
    .unwrap();
    assert!(!machine.is_empty());
    assert!(!folder.exists());
    let mounts = std::fs::read_to_string("/proc/thread-self/mounts").unwrap();
    assert!(!mounts.contains(folder.to_str().unwrap()));
    let own = format!("muster-lab-{}-gone", std::process::id());
    let groups = std::process::Command::new("find").args(["/sys/fs/cgroup", "-name", &own]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&groups.stdout), "");
    assert!(!std::path::Path::new("/sys/class/net/lab0").exists());
}
