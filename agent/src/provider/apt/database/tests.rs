#![allow(clippy::disallowed_methods)]

use std::io::Write;
use std::process::Command;
use std::time::Instant;

use super::{PackageDatabase, load_database};
use crate::host::HostRead;
use crate::host::RealHost;

fn database(status: &str) -> PackageDatabase {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("var/lib/dpkg");
    std::fs::create_dir_all(&folder).expect("made");
    let mut file = std::fs::File::create(folder.join("status")).expect("made");
    file.write_all(status.as_bytes()).expect("written");
    let host = RealHost::open(root.path()).expect("a host");
    load_database(host.reader().as_mut()).expect("a database")
}

const STATUS: &str = "Package: libc6\nStatus: install ok installed\nArchitecture: i386\nVersion: 2.36-9\n\n\
    Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.21.22\n\n\
    Package: libc6\nStatus: hold ok installed\nArchitecture: amd64\nVersion: 2.36-10\nDescription: C\n Version: 9\n\n\
    Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n\n\
    Package: broken\nStatus: install ok half-configured\nArchitecture: amd64\nVersion: 1\n\n\
    Package: foreign\nStatus: install ok installed\nArchitecture: i386\nVersion: 1\n\n\
    Package: exim4\nStatus: install ok triggers-pending\nArchitecture: all\nVersion: 4.96\n\
    Provides: mail-transport-agent, default-mta (= 4.96)\n";

#[test]
fn only_what_is_wholly_installed_counts() {
    let database = database(STATUS);
    for absent in ["gone", "broken", "nothing", "foreign", "libc6:arm64"] {
        assert_eq!(database.get(absent), None, "{absent}");
    }
    assert!(database.get("exim4").is_some());
    assert!(database.get("foreign:i386").is_some());
}

#[test]
fn a_bare_name_is_of_the_hosts_own_architecture() {
    let database = database(STATUS);
    let own = database.get("libc6").expect("installed");
    assert_eq!((own.version.as_str(), own.hold), ("2.36-10", true));
    assert_eq!(database.get("libc6:amd64"), Some(own));
    let other = database.get("libc6:i386").expect("installed");
    assert_eq!((other.version.as_str(), other.hold), ("2.36-9", false));
}

#[test]
fn virtual_names_have_their_providers() {
    let database = database(STATUS);
    assert_eq!(database.providers("mail-transport-agent"), ["exim4"]);
    assert_eq!(database.providers("default-mta"), ["exim4"]);
    assert!(database.providers("exim4").is_empty());
}

#[test]
fn a_host_without_dpkg_has_no_packages() {
    let root = tempfile::tempdir().expect("a folder");
    let host = RealHost::open(root.path()).expect("a host");
    assert!(load_database(host.reader().as_mut()).expect("a database").is_empty());
}

/// The database of this machine, against the tool that belongs to it.
#[test]
fn the_real_database_is_read_as_dpkg_reads_it() {
    let format = "${Package}:${Architecture} ${Version} ${db:Status-Want} ${db:Status-Status}\\n";
    let Ok(output) = Command::new("dpkg-query").args(["-W", "-f", format]).output() else {
        println!("skipped: no dpkg here");
        return;
    };
    let host = RealHost::open("/".as_ref()).expect("a host");
    let start = Instant::now();
    let database = load_database(host.reader().as_mut()).expect("a database");
    let took = start.elapsed();
    let text = String::from_utf8(output.stdout).expect("text");
    let mut installed = 0;
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [name, version, want, status] = words[..] else { panic!("{line}") };
        let found = database.get(name);
        if status == "installed" {
            let found = found.unwrap_or_else(|| panic!("{name}"));
            assert_eq!((found.version.as_str(), found.hold), (version, want == "hold"), "{name}");
            installed += 1;
        }
    }
    println!("{installed} packages in {took:?}");
    assert!(database.len() > 50 && database.len() <= installed);
}
