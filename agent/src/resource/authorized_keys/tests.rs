#![allow(clippy::disallowed_methods)]

use crate::provider::apt::test_archive::run;
use crate::resource::test_converger::{converge, converge_wholly, differences, outcome_of};
use crate::test_machine::enter;
use muster_schema::resource::{AuthorizedKeysSpec, Meta, ResourceSpec, entry_of};
use muster_schema::state::ResourceState;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::process::Command;

const A: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA";
const B: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB";
const FILE: &str = "/home/kim/.ssh/authorized_keys";

fn add_kim() {
    run(Command::new("useradd").args(["--create-home", "--uid", "4100", "--user-group", "kim"]));
}

fn lines() -> Vec<String> {
    fs::read_to_string(FILE).expect("read").lines().map(str::to_owned).collect()
}

#[test]
fn an_entry_is_options_type_and_key() {
    let entry = |line: &str| entry_of(line);
    assert_eq!(entry(&format!("{A} some one")).as_deref(), Some(A));
    let options = r#"command="echo \"a b\" c",no-pty"#;
    assert_eq!(entry(&format!("{options}   {A}\tx")), Some(format!("{options} {A}")));
    for none in ["", "# x", "ssh-ed25519", "ssh-ed25519 !", "no-pty", "a b c", &format!("{A}\n{B}")] {
        assert_eq!(entry(none), None, "{none}");
    }
    let spec = |attributes: Value| serde_json::from_value::<AuthorizedKeysSpec>(attributes).expect("a spec");
    assert!(spec(json!({"user": "kim", "keys": []})).contradiction(&Meta::default()).is_some());
    assert!(spec(json!({"user": "kim", "keys": ["nonsense"]})).contradiction(&Meta::default()).is_some());
    assert!(spec(json!({"keys": [A]})).contradiction(&Meta::default()).is_some());
    assert!(serde_json::from_value::<AuthorizedKeysSpec>(json!({"keys": [{"key": A, "option": "x"}]})).is_err());
}

#[test]
fn what_is_made_for_keys_is_the_users_and_goes_with_them() {
    if !enter("resource::authorized_keys::tests::what_is_made_for_keys_is_the_users_and_goes_with_them") {
        return;
    }
    add_kim();
    // The same key with two options is two entries.
    let wanted = json!({
        "authorized_keys/one": {"user": "kim", "keys": [format!("{A} a"), {"key": A, "options": "no-pty"}]},
        "authorized_keys/two": {"user": "kim", "keys": [B]},
    });
    assert_eq!(differences(&wanted).len(), 2);
    assert!(!Path::new("/home/kim/.ssh").exists(), "looking made something");
    converge_wholly(&wanted);
    assert_eq!(lines().len(), 3, "{:?}", lines());
    let meta =
        |path: &str| fs::metadata(path).map(|meta| (meta.uid(), meta.gid(), meta.mode() & 0o7777)).expect("meta");
    assert_eq!(meta("/home/kim/.ssh"), (4100, 4100, 0o700));
    assert_eq!(meta(FILE), (4100, 4100, 0o600));
    // Drift: one goes, a stranger comes. The stranger may stay.
    fs::write(FILE, format!("# mine\n{B}\nssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ stranger\n")).expect("write");
    converge_wholly(&wanted);
    assert_eq!(lines().len(), 5);
    converge_wholly(&json!({"authorized_keys/two": {"user": "kim", "keys": [B]}}));
    assert_eq!(lines(), ["# mine", B, "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ stranger"]);
    fs::write(FILE, format!("{B}\n")).expect("write");
    converge_wholly(&json!({}));
    assert!(!Path::new("/home/kim/.ssh").exists());
}

#[test]
fn exclusive_counts_over_the_whole_file_and_gives_back_what_it_removed() {
    if !enter("resource::authorized_keys::tests::exclusive_counts_over_the_whole_file_and_gives_back_what_it_removed") {
        return;
    }
    add_kim();
    fs::create_dir("/home/kim/.ssh").expect("folder");
    let found = format!("# keys of kim\nno-pty {A} laptop\n{B} desk\n");
    fs::write(FILE, &found).expect("write");
    let wanted = json!({
        "authorized_keys/one": {"user": "kim", "exclusive": true, "keys": [A]},
        "authorized_keys/two": {"user": "kim", "keys": [format!("{B} renamed")]},
    });
    converge_wholly(&wanted);
    assert_eq!(lines(), ["# keys of kim", &format!("{B} desk"), A], "the comment of a key is its own");
    converge_wholly(&json!({}));
    let mut back = lines();
    back.sort();
    assert_eq!(back, ["# keys of kim".to_owned(), format!("no-pty {A} laptop"), format!("{B} desk")]);
    converge_wholly(&json!({"authorized_keys/none": {"user": "kim", "exclusive": true, "keys": []}}));
    assert_eq!(lines(), ["# keys of kim"]);
    let absent = json!({"authorized_keys/gone": {"user": "kim", "keys": [B], "meta": {"state": "absent"}}});
    converge_wholly(&absent);
    assert_eq!(lines().len(), 2, "{:?}", lines());
}

#[test]
fn links_of_the_user_lead_nowhere() {
    if !enter("resource::authorized_keys::tests::links_of_the_user_lead_nowhere") {
        return;
    }
    add_kim();
    fs::create_dir("/root/target").expect("folder");
    symlink("/root/target", "/home/kim/.ssh").expect("link");
    std::os::unix::fs::lchown("/home/kim/.ssh", Some(4100), Some(4100)).expect("chown");
    let wanted = json!({"authorized_keys/one": {"user": "kim", "keys": [A]}});
    let outcomes = converge(&wanted);
    assert_eq!(outcome_of(&outcomes, "authorized_keys/one").state, Some(ResourceState::Error), "{outcomes:?}");
    assert_eq!(fs::read_dir("/root/target").expect("list").count(), 0);
    fs::remove_file("/home/kim/.ssh").expect("remove");
    fs::create_dir("/home/kim/.ssh").expect("folder");
    fs::write("/root/secret", "secret\n").expect("write");
    symlink("/root/secret", FILE).expect("link");
    let outcomes = converge(&wanted);
    assert_eq!(outcome_of(&outcomes, "authorized_keys/one").state, Some(ResourceState::Blocked), "{outcomes:?}");
    assert_eq!(fs::read_to_string("/root/secret").expect("read"), "secret\n");
    let outcomes = converge(&json!({"authorized_keys/two": {"user": "nobody-there", "keys": [A]}}));
    assert_eq!(outcome_of(&outcomes, "authorized_keys/two").state, Some(ResourceState::Blocked), "{outcomes:?}");
}
