#![allow(clippy::disallowed_methods)]

use super::{load_names, load_upgradable};
use crate::provider::apt::test_archive::{Archive, machine, run};
use crate::test_machine::enter;

#[test]
fn lines_of_apt_are_read() {
    let names = load_names(
        "Listing...\nbash/oldstable 5.2.15-2+b13 amd64 [upgradable from: 5.2.15-2+b8]\n\
         libc6/stable,now 2.36-10 i386 [upgradable from: 2.36-9]\nodd line\nx/y 1 all [installed]\n",
    );
    assert_eq!(names.iter().map(String::as_str).collect::<Vec<_>>(), ["bash", "bash:amd64", "libc6", "libc6:i386"]);
}

#[test]
fn apt_knows_what_is_newer() {
    if !enter("provider::apt::upgradable::tests::apt_knows_what_is_newer") {
        return;
    }
    let mut archive = Archive::new();
    for name in ["older", "newest"] {
        archive.add(name, "1.0", "");
    }
    archive.refresh();
    run(std::process::Command::new("apt-get").args(["-qqy", "install", "older", "newest"]));
    archive.add("older", "1.1", "");
    archive.refresh();
    let upgradable = load_upgradable(&machine()).expect("asked");
    assert!(upgradable.contains("older"));
    assert!(!upgradable.contains("newest"));
}
