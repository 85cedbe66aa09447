#![allow(clippy::disallowed_methods)]

use std::collections::BTreeSet;

use super::super::change::{PackageAction, PackageChange};
use super::super::database::PackageDatabase;
use super::super::name::PackageName;
use super::super::simulation::load_simulation;
use super::check_simulation;
use crate::host::{HostRead, RealHost};

fn change(name: &str, action: PackageAction) -> PackageChange {
    let name = PackageName::new(name).expect("a name");
    PackageChange { name, action, allow_downgrade: false, allow_held: false }
}

fn install(name: &str) -> PackageChange {
    change(name, PackageAction::Install { version: None })
}

fn remove(name: &str) -> PackageChange {
    change(name, PackageAction::Remove { brought: Vec::new() })
}

fn held(names: &[&str]) -> PackageDatabase {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("var/lib/dpkg");
    std::fs::create_dir_all(&folder).expect("made");
    let stanza = |name: &&str| format!("Package: {name}\nStatus: hold ok installed\nArchitecture: all\nVersion: 1\n\n");
    std::fs::write(folder.join("status"), names.iter().map(stanza).collect::<String>()).expect("written");
    let host = RealHost::open(root.path()).expect("a host");
    PackageDatabase::load(host.reader().as_mut()).expect("a database")
}

fn check(output: &str, changes: &[PackageChange], extra: &[&str]) -> Result<(), String> {
    let extra: BTreeSet<String> = extra.iter().map(|name| (*name).to_owned()).collect();
    check_simulation(&load_simulation(output), changes, &extra, &held(&["kept"]))
}

#[test]
fn nothing_goes_that_was_not_named() {
    let output = "Remv nginx [1]\nRemv libfoo [1]\nRemv shop [2]\n";
    assert!(check(output, &[remove("nginx"), remove("shop")], &["libfoo"]).is_ok());
    let refused = check(output, &[remove("nginx")], &["libfoo"]).expect_err("refused");
    assert_eq!(refused, "shop would be removed with it");
    // Installing one mail server would drop the other.
    let refused = check("Inst exim4 (1 x)\nRemv postfix [1]\n", &[install("exim4")], &[]).expect_err("refused");
    assert_eq!(refused, "postfix would be removed with it");
    // What is to be installed must not go either.
    assert!(check("Remv aa [1]\n", &[install("aa")], &[]).is_err());
}

#[test]
fn versions_go_down_only_with_leave() {
    let output = "Inst aa [2] (1 x)\n";
    let mut allowed = install("aa");
    assert!(check(output, &[allowed.clone()], &[]).expect_err("refused").contains("from 2 to 1"));
    allowed.allow_downgrade = true;
    assert!(check(output, &[allowed.clone()], &[]).is_ok());
    // The leave is for that package alone.
    assert!(check("Inst aa [2] (1 x)\nInst bb [2] (1 x)\n", &[allowed], &[]).is_err());
}

#[test]
fn what_is_held_changes_only_with_leave() {
    let mut own = install("kept");
    assert_eq!(check("Inst kept [1] (2 x)\n", &[own.clone()], &[]).expect_err("refused"), "kept is held");
    own.allow_held = true;
    assert!(check("Inst kept [1] (2 x)\n", &[own], &[]).is_ok());
    assert!(check("Inst aa (1 x)\nInst kept [1] (2 x)\n", &[install("aa")], &[]).is_err());
    assert_eq!(check("Remv kept [1]\n", &[remove("kept")], &[]).expect_err("refused"), "kept is held");
}

#[test]
fn a_name_is_no_pattern() {
    assert!(check("Inst python3x11 (1 x)\n", &[install("python3.11")], &[]).is_err());
    assert!(check("Inst python3.11 (1 x)\n", &[install("python3.11")], &[]).is_ok());
    assert!(check("Inst exim4 (1 x)\n", &[install("mail-transport-agent")], &[]).is_ok(), "a virtual package");
}
