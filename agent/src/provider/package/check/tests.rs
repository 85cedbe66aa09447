use super::check_simulation;
use crate::host::ProgramOutput;
use crate::provider::apt::AptManager;
use crate::provider::package::{
    Installed, PackageAction, PackageChange, PackageDatabase, PackageManager, PackageName, PackageOptions, Request,
};
use std::collections::BTreeSet;
use std::time::Duration;

fn change(name: &str, action: PackageAction) -> PackageChange {
    let name = PackageName::new(name).expect("a name");
    PackageChange { name, action, allow_downgrade: false, allow_held: false, options: PackageOptions::default() }
}

fn install(name: &str) -> PackageChange {
    change(name, PackageAction::Install { version: None })
}

fn remove(name: &str) -> PackageChange {
    change(name, PackageAction::Remove { brought: Vec::new() })
}

fn held(names: &[&str]) -> PackageDatabase {
    let mut database = PackageDatabase::default();
    for name in names {
        let installed = Installed { version: "1".to_owned(), architecture: "all".to_owned(), hold: true };
        database.add((*name).to_owned(), installed);
    }
    database
}

fn check(output: &str, changes: &[PackageChange], extra: &[&str]) -> Result<(), String> {
    let extra: BTreeSet<String> = extra.iter().map(|name| (*name).to_owned()).collect();
    let output = ProgramOutput { stdout: output.into(), ..ProgramOutput::default() };
    let simulation = AptManager.load_simulation(&output).expect("a simulation");
    let database = held(&["kept"]);
    let request = Request { changes, extra: &extra, database: &database, timeout: Duration::from_secs(1) };
    check_simulation(&simulation, &request, &AptManager)
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
