#![allow(clippy::disallowed_methods)]

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use super::AptManager;
use super::test_archive::{Archive, installed, machine, run};
use crate::provider::package::{PackageAction, PackageChange, PackageName, PackageOptions, Surroundings};
use crate::provider::package::{Transaction, VersionDemand};
use crate::test_machine::enter;

#[derive(Default)]
struct Notes {
    managed: BTreeSet<String>,
    brought: Vec<String>,
}

impl Surroundings for Notes {
    fn is_managed(&self, name: &str) -> bool {
        self.managed.contains(name)
    }

    fn note_brought(&mut self, _: &[PackageChange], brought: &[String]) -> std::io::Result<()> {
        self.brought.extend_from_slice(brought);
        Ok(())
    }
}

fn change(name: &str, action: PackageAction) -> PackageChange {
    let name = PackageName::new(name).expect("a name");
    PackageChange { name, action, allow_downgrade: false, allow_held: false, options: PackageOptions::default() }
}

fn install(name: &str) -> PackageChange {
    change(name, PackageAction::Install { version: None })
}

fn install_version(name: &str, version: &str) -> PackageChange {
    change(name, PackageAction::Install { version: Some(VersionDemand::new(version)) })
}

fn remove(name: &str, brought: &[&str]) -> PackageChange {
    change(name, PackageAction::Remove { brought: brought.iter().map(|name| (*name).to_owned()).collect() })
}

fn change_all(changes: &[PackageChange], notes: &mut Notes) -> Vec<Result<(), String>> {
    let host = machine();
    let answers = Transaction::new(&AptManager, &host, Some(Duration::from_secs(120))).change_packages(changes, notes);
    answers.into_iter().map(|answer| answer.map_err(|error| error.to_string())).collect()
}

fn change_one(change: PackageChange) -> Result<(), String> {
    change_all(&[change], &mut Notes::default()).remove(0)
}

#[test]
fn packages_come_with_what_they_need_and_go_with_it() {
    if !enter("provider::apt::tests::packages_come_with_what_they_need_and_go_with_it") {
        return;
    }
    let mut archive = Archive::new();
    archive.add("probe", "1.0", "Depends: probe-lib, probe-data\n");
    archive.add("probe-lib", "1.0", "");
    archive.add("probe-data", "1.0", "Depends: probe-base\n");
    archive.add("probe-base", "1.0", "");
    archive.add("other", "1.0", "Depends: probe-lib\n");
    // apt knows nothing of the archive yet: its lists are read when the package is not found.
    let mut notes = Notes::default();
    assert_eq!(change_all(&[install("probe"), install("other")], &mut notes), [Ok(()), Ok(())]);
    notes.brought.sort();
    assert_eq!(notes.brought, ["probe-base", "probe-data", "probe-lib"]);
    assert_eq!(installed("probe-base").as_deref(), Some("1.0"));

    // What another package needs stays, what is managed too, and so what that needs.
    let brought = ["probe-base", "probe-data", "probe-lib"];
    let mut managed = Notes { managed: ["probe-data".to_owned()].into(), ..Notes::default() };
    assert_eq!(change_all(&[remove("probe", &brought)], &mut managed), [Ok(())]);
    assert_eq!(installed("probe"), None);
    for stays in brought {
        assert!(installed(stays).is_some(), "{stays}");
    }
    assert!(fs::exists("/etc/probe.conf").expect("looked"), "removed, not purged");

    assert_eq!(change_one(install("probe")), Ok(()));
    let changes = [remove("probe", &brought), remove("other", &[])];
    assert_eq!(change_all(&changes, &mut Notes::default()), [Ok(()), Ok(())]);
    for gone in ["probe", "other", "probe-lib", "probe-data", "probe-base"] {
        assert_eq!(installed(gone), None, "{gone}");
    }
}

#[test]
fn what_reaches_further_than_asked_is_refused() {
    if !enter("provider::apt::tests::what_reaches_further_than_asked_is_refused") {
        return;
    }
    let mut archive = Archive::new();
    archive.add("probe", "1.0", "");
    archive.add("probe", "1:0.5", "");
    archive.add("probe", "2.0", "");
    archive.add("leans", "1.0", "Depends: probe\n");
    archive.add("rival", "1.0", "Conflicts: probe\n");
    archive.refresh();

    assert_eq!(change_one(install_version("probe", "2.0")), Ok(()));
    assert!(change_one(install_version("probe", "1.0")).expect_err("refused").contains("allow_downgrade"));
    let mut down = install_version("probe", "1.*");
    down.allow_downgrade = true;
    assert_eq!(change_one(down), Ok(()));
    assert_eq!(installed("probe").as_deref(), Some("1.0"));

    assert_eq!(change_one(install("rival")).expect_err("refused"), "probe would be removed with it");
    run(Command::new("apt-get").args(["-qqy", "install", "leans"]));
    assert_eq!(change_one(remove("probe", &[])).expect_err("refused"), "leans would be removed with it");
    assert!(installed("leans").is_some());

    run(Command::new("apt-mark").args(["hold", "probe"]));
    let mut up = change("probe", PackageAction::Upgrade);
    assert!(change_one(up.clone()).is_err(), "held");
    assert_eq!(installed("probe").as_deref(), Some("1.0"));
    up.allow_held = true;
    assert_eq!(change_one(up), Ok(()));
    assert_eq!(installed("probe").as_deref(), Some("1:0.5"), "the epoch counts");
    assert!(change_one(change("bash", PackageAction::Remove { brought: vec![] })).is_err(), "essential");
}

#[test]
fn one_that_is_refused_does_not_hold_up_the_others() {
    if !enter("provider::apt::tests::one_that_is_refused_does_not_hold_up_the_others") {
        return;
    }
    let mut archive = Archive::new();
    archive.add("good", "1.0", "Depends: needed\n");
    archive.add("needed", "1.0", "");
    archive.add_with("faulty", "1.0", "", &[("postinst", "#!/bin/sh\necho no such luck >&2\nexit 3\n")]);
    archive.refresh();
    let changes = [install("good"), install("no-such-package"), install("goo.")];
    let answers = change_all(&changes, &mut Notes::default());
    assert_eq!(answers[0], Ok(()));
    assert!(answers[1].as_ref().expect_err("unknown").contains("no-such-package"), "{answers:?}");
    assert!(answers[2].is_err(), "no pattern: {answers:?}");
    assert!(installed("good").is_some());

    let answers = change_all(&[remove("good", &["needed"]), install("faulty")], &mut Notes::default());
    assert_eq!(answers[0], Ok(()));
    assert!(answers[1].is_err());
    assert_eq!((installed("good"), installed("needed"), installed("faulty")), (None, None, None));
}

#[test]
fn locks_are_waited_for_and_interruptions_mended() {
    if !enter("provider::apt::tests::locks_are_waited_for_and_interruptions_mended") {
        return;
    }
    let mut archive = Archive::new();
    archive.add("probe", "1.0", "");
    archive.add("half", "1.0", "");
    archive.refresh();
    run(Command::new("dpkg").arg("--unpack").arg("/var/cache/archive/half_1.0_all.deb"));
    // This is what dpkg leaves when it is killed.
    let mut left = fs::File::create("/var/lib/dpkg/updates/0001").expect("made");
    let stanza = "Package: half\nStatus: install ok unpacked\nMaintainer: Test <test@example.org>\nArchitecture: all\n\
                  Version: 1.0\nConffiles:\n /etc/half.conf newconffile\nDescription: made for a test\n";
    left.write_all(stanza.as_bytes()).expect("written");
    let lock = fs::File::create("/var/lib/dpkg/lock-frontend").expect("opened");
    rustix::fs::fcntl_lock(&lock, rustix::fs::FlockOperation::LockExclusive).expect("locked");
    let start = Instant::now();
    let holder = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(2));
        drop(lock);
    });
    assert_eq!(change_one(install("probe")), Ok(()));
    assert!(start.elapsed() >= Duration::from_secs(2));
    holder.join().expect("ended");
    assert!(installed("probe").is_some());
    assert!(installed("half").is_some());
}

#[test]
fn configuration_that_a_person_changed_stays() {
    if !enter("provider::apt::tests::configuration_that_a_person_changed_stays") {
        return;
    }
    let mut archive = Archive::new();
    archive.add("probe", "1.0", "");
    archive.refresh();
    assert_eq!(change_one(install("probe")), Ok(()));
    fs::write("/etc/probe.conf", "mine\n").expect("written");
    archive.add("probe", "2.0", "");
    archive.refresh();
    assert_eq!(change_one(change("probe", PackageAction::Upgrade)), Ok(()));
    assert_eq!(installed("probe").as_deref(), Some("2.0"));
    assert_eq!(fs::read_to_string("/etc/probe.conf").expect("read"), "mine\n");
}
