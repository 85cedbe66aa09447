#![allow(clippy::disallowed_methods)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::{is_as_made, make_home, remove_home};
use crate::host::{HostPath, HostRead, RealHost};

fn host(root: &Path) -> RealHost {
    fs::create_dir_all(root.join("etc/skel/.config/app")).expect("made");
    fs::create_dir(root.join("home")).expect("made");
    fs::write(root.join("etc/skel/.profile"), "PATH=x\n").expect("written");
    fs::write(root.join("etc/skel/.config/app/rc"), "1\n").expect("written");
    symlink(".profile", root.join("etc/skel/.bashrc")).expect("linked");
    RealHost::open(root).expect("a host")
}

#[test]
fn a_home_goes_only_while_it_is_as_it_was_made() {
    let root = tempfile::tempdir().expect("a folder");
    let host = host(root.path());
    let home = HostPath::new("/home/anna").expect("a path");
    let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    assert!(is_as_made(host.reader().as_mut(), &home).expect("looked"), "a missing one holds nothing");
    make_home(&host, &home, uid, gid).expect("made");
    let real = root.path().join("home/anna");
    assert_eq!(fs::read_to_string(real.join(".config/app/rc")).expect("read"), "1\n");
    assert_eq!(fs::read_link(real.join(".bashrc")).expect("read"), Path::new(".profile"));
    assert!(is_as_made(host.reader().as_mut(), &home).expect("looked"));

    fs::write(real.join(".profile"), "PATH=mine\n").expect("written");
    assert!(!is_as_made(host.reader().as_mut(), &home).expect("looked"), "changed");
    make_home(&host, &home, uid, gid).expect("made again");
    assert_eq!(fs::read_to_string(real.join(".profile")).expect("read"), "PATH=mine\n", "what is there stays");
    fs::write(real.join(".profile"), "PATH=x\n").expect("written");
    fs::write(real.join("thesis"), "").expect("written");
    assert!(!is_as_made(host.reader().as_mut(), &home).expect("looked"), "something new");
    fs::remove_file(real.join("thesis")).expect("removed");

    remove_home(&host, &home).expect("removed");
    assert!(!real.exists());
    remove_home(&host, &home).expect("gone already");
}
