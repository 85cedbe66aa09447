#![allow(clippy::disallowed_methods)]

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;

use muster_schema::state::ResourceState;
use serde_json::{Value, json};

use crate::apply::Outcome;
use crate::provider::apt::test_archive::run;
use crate::resource::test_converger::{converge, converge_wholly, differences, outcome_of, secret};
use crate::test_machine::enter;

const HASH: &str = "$6$salt$IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iwMuTS4XMS130MTSuDDl3aCI6WouIL9AjRbLCelDCy.g.";

/// One line of a file of accounts.
fn line(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).expect("read");
    text.lines().find(|line| line.starts_with(&format!("{name}:"))).map(str::to_owned)
}

fn field(file: &str, name: &str, number: usize) -> String {
    let line = line(file, name).unwrap_or_else(|| panic!("{name} is in {file}"));
    line.split(':').nth(number).expect("a field").to_owned()
}

fn groups_of(user: &str) -> Vec<String> {
    let output = Command::new("id").args(["-nG", user]).output().expect("runs");
    let mut groups: Vec<String> =
        String::from_utf8(output.stdout).expect("text").split_whitespace().map(str::to_owned).collect();
    groups.sort();
    groups
}

fn command(line: &str) {
    let mut words = line.split_whitespace();
    run(Command::new(words.next().expect("a program")).args(words));
}

fn state_of(outcomes: &[Outcome], address: &str) -> Option<ResourceState> {
    outcome_of(outcomes, address).state
}

#[test]
fn a_user_comes_drifts_and_goes() {
    if !enter("resource::user::tests::a_user_comes_drifts_and_goes") {
        return;
    }
    let wanted: Value = json!({
        "groups/dev": {"gid": 4242},
        "users/anna": {
            "uid": 4243, "groups": ["dev", "adm"], "create_home": true, "shell": "/bin/bash", "comment": "Anna A.",
            "password": HASH, "locked": false, "expires": "2031-05-06",
        },
        "users/daemonic": {"system": true, "group": "dev", "home": "/nonexistent"},
    });
    converge_wholly(&wanted);
    assert_eq!(line("/etc/passwd", "anna").as_deref(), Some("anna:x:4243:4243:Anna A.:/home/anna:/bin/bash"));
    assert_eq!(
        (field("/etc/shadow", "anna", 1), field("/etc/shadow", "anna", 7)),
        (HASH.to_owned(), "22405".to_owned())
    );
    assert_eq!(groups_of("anna"), ["adm", "anna", "dev"]);
    assert!(fs::exists("/home/anna/.bashrc").expect("looked"));
    assert_eq!(field("/etc/passwd", "daemonic", 3), "4242");
    assert_eq!(field("/etc/passwd", "daemonic", 6), "/usr/sbin/nologin");

    command("usermod --shell /bin/sh --lock anna");
    command("gpasswd --delete anna dev");
    command("groupmod --gid 4250 dev");
    converge_wholly(&wanted);
    assert_eq!(field("/etc/passwd", "anna", 6), "/bin/bash");
    assert_eq!(field("/etc/shadow", "anna", 1), HASH, "the same hash, not a new one");
    assert_eq!(field("/etc/group", "dev", 2), "4242");
    assert_eq!(groups_of("anna"), ["adm", "anna", "dev"]);

    converge_wholly(&json!({}));
    for (file, name) in [
        ("/etc/passwd", "anna"),
        ("/etc/shadow", "anna"),
        ("/etc/group", "anna"),
        ("/etc/passwd", "daemonic"),
        ("/etc/group", "dev"),
    ] {
        assert_eq!(line(file, name), None, "{file}");
    }
    assert!(!fs::exists("/home/anna").expect("looked"), "it was as it was made");
}

#[test]
fn what_was_found_comes_back() {
    if !enter("resource::user::tests::what_was_found_comes_back") {
        return;
    }
    command("groupadd --gid 5000 old");
    command("useradd --uid 5001 --gid old --create-home --shell /bin/sh --comment Old found");
    command("usermod --append --groups games found");
    fs::write("/home/found/thesis", "years of work").expect("written");
    let before: Vec<Option<String>> = ["/etc/passwd", "/etc/group"]
        .iter()
        .map(|file| line(file, "found"))
        .chain([line("/etc/group", "old")])
        .collect();
    let wanted = json!({"users/found": {
        "shell": "/bin/bash", "groups": ["adm"], "membership": "exact", "password": HASH, "locked": true,
        "home": "/srv/found", "group": "users",
    }});
    converge_wholly(&wanted);
    assert_eq!(groups_of("found"), ["adm", "users"]);
    assert_eq!(field("/etc/shadow", "found", 1), format!("!{HASH}"));
    converge_wholly(&json!({"users/found": {"shell": "/bin/bash"}}));
    assert_eq!(groups_of("found"), ["games", "old"]);
    assert_eq!(field("/etc/shadow", "found", 1), "!", "no password, as before");
    converge_wholly(&json!({}));
    let after: Vec<Option<String>> = ["/etc/passwd", "/etc/group"]
        .iter()
        .map(|file| line(file, "found"))
        .chain([line("/etc/group", "old")])
        .collect();
    assert_eq!(after, before);
    assert!(fs::exists("/home/found/thesis").expect("looked"));
}

#[test]
fn a_user_with_files_is_locked_and_not_removed() {
    if !enter("resource::user::tests::a_user_with_files_is_locked_and_not_removed") {
        return;
    }
    let wanted = json!({"users/anna": {"create_home": true, "password": HASH, "locked": false}});
    converge_wholly(&wanted);
    fs::write("/home/anna/thesis", "years of work").expect("written");
    let outcomes = converge(&json!({}));
    let retained = outcome_of(&outcomes, "users/anna");
    assert_eq!(retained.state, Some(ResourceState::Retained), "{retained:?}");
    assert!(retained.message.contains("its home holds files"), "{retained:?}");
    assert_eq!(field("/etc/shadow", "anna", 1), format!("!{HASH}"));
    assert_eq!(field("/etc/shadow", "anna", 7), "1", "keys do not let in either");
    assert!(fs::exists("/home/anna/thesis").expect("looked"));

    converge_wholly(&wanted);
    assert_eq!((field("/etc/shadow", "anna", 1), field("/etc/shadow", "anna", 7)), (HASH.to_owned(), String::new()));

    converge(&json!({}));
    fs::remove_file("/home/anna/thesis").expect("removed");
    converge_wholly(&json!({}));
    assert_eq!(line("/etc/passwd", "anna"), None);
    assert!(!fs::exists("/home/anna").expect("looked"));
}

#[test]
fn a_user_with_processes_stays_until_they_end() {
    if !enter("resource::user::tests::a_user_with_processes_stays_until_they_end") {
        return;
    }
    converge_wholly(&json!({"users/anna": {"uid": 4243}}));
    let mut process = Command::new("sleep").arg("60").uid(4243).spawn().expect("started");
    let outcomes = converge(&json!({}));
    assert_eq!(state_of(&outcomes, "users/anna"), Some(ResourceState::Retained));
    let outcomes = converge(&json!({"users/anna": {"meta": {"state": "absent"}}}));
    assert_eq!(state_of(&outcomes, "users/anna"), Some(ResourceState::Blocked));
    process.kill().expect("killed");
    process.wait().expect("ended");
    converge_wholly(&json!({"users/anna": {"meta": {"state": "absent"}}}));
    assert_eq!(line("/etc/passwd", "anna"), None);
}

#[test]
fn one_that_is_not_wanted_goes_without_its_home_and_comes_back() {
    if !enter("resource::user::tests::one_that_is_not_wanted_goes_without_its_home_and_comes_back") {
        return;
    }
    command("useradd --uid 5001 --create-home --shell /bin/bash found");
    run(Command::new("usermod").args(["--password", HASH, "--append", "--groups", "games", "found"]));
    fs::write("/home/found/thesis", "years of work").expect("written");
    let before = (line("/etc/passwd", "found"), line("/etc/group", "found"), groups_of("found"));
    converge_wholly(&json!({"users/found": {"meta": {"state": "absent"}}}));
    assert_eq!(line("/etc/passwd", "found"), None);
    assert!(fs::exists("/home/found/thesis").expect("looked"));
    converge_wholly(&json!({}));
    assert_eq!((line("/etc/passwd", "found"), line("/etc/group", "found"), groups_of("found")), before);
    assert_eq!(field("/etc/shadow", "found", 1), HASH);
}

#[test]
fn a_list_of_groups_gives_back_what_it_added() {
    if !enter("resource::user::tests::a_list_of_groups_gives_back_what_it_added") {
        return;
    }
    command("useradd found");
    command("usermod --append --groups adm found");
    converge_wholly(&json!({"users/found": {"groups": ["adm", "games", "sudo"]}}));
    command("usermod --append --groups mail found");
    assert_eq!(groups_of("found"), ["adm", "found", "games", "mail", "sudo"]);
    converge_wholly(&json!({"users/found": {"groups": ["games"]}}));
    assert_eq!(groups_of("found"), ["adm", "found", "games", "mail"], "sudo was ours, adm was not");
    converge_wholly(&json!({}));
    assert_eq!(groups_of("found"), ["adm", "found", "mail"]);
}

#[test]
fn both_sides_of_a_membership_agree() {
    if !enter("resource::user::tests::both_sides_of_a_membership_agree") {
        return;
    }
    let wanted = json!({
        "groups/dev": {"members": ["anna", "ben"], "membership": "exact"},
        "groups/ops": {"members": ["anna"]},
        "users/anna": {"groups": ["dev", "games"], "group": "ops"},
        "users/ben": {},
    });
    converge_wholly(&wanted);
    assert_eq!(field("/etc/group", "dev", 3).split(',').count(), 2);
    assert_eq!(groups_of("anna"), ["dev", "games", "ops"]);
    // The user's side leaves; the group's side still asks for her.
    converge(&json!({
        "groups/dev": {"members": ["anna", "ben"], "membership": "exact"},
        "groups/ops": {"members": ["anna"]},
        "users/anna": {"group": "ops"},
        "users/ben": {},
    }));
    assert_eq!(groups_of("anna"), ["dev", "ops"]);
    converge_wholly(&json!({}));
    for name in ["dev", "ops"] {
        assert_eq!(line("/etc/group", name), None, "{name}");
    }
}

#[test]
fn what_would_open_an_account_or_needs_what_is_missing_is_refused() {
    if !enter("resource::user::tests::what_would_open_an_account_or_needs_what_is_missing_is_refused") {
        return;
    }
    command("useradd found");
    let outcomes = converge(&json!({
        "users/found": {"locked": false},
        "users/anna": {"group": "nowhere"},
        "users/root": {"meta": {"state": "absent"}},
    }));
    for address in ["users/found", "users/anna", "users/root"] {
        assert_eq!(state_of(&outcomes, address), Some(ResourceState::Blocked), "{address}: {outcomes:?}");
    }
    assert_eq!(field("/etc/shadow", "found", 1), "!");
    assert_eq!(line("/etc/passwd", "anna"), None);
    assert!(line("/etc/passwd", "root").is_some());
    assert_eq!(differences(&json!({"users/found": {"comment": ""}})).len(), 0);
}

#[test]
fn a_password_that_is_a_secret_is_in_shadow_and_nowhere_else() {
    if !enter("resource::user::tests::a_password_that_is_a_secret_is_in_shadow_and_nowhere_else") {
        return;
    }
    let found = "$6$found$IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iwMuTS4XMS130MTSuDDl3aCI6WouIL9AjRbLCelDCy.g.";
    let second = HASH.replace("salt", "second");
    command("useradd --create-home bert");
    command(&format!("usermod --password {found} bert"));
    let wanted =
        |hash: &str| json!({"users/anna": {"password": secret(hash)}, "users/bert": {"password": secret(hash)}});
    let mut told = format!("{:?}", converge_wholly(&wanted(HASH)));
    for user in ["anna", "bert"] {
        assert_eq!(field("/etc/shadow", user, 1), HASH);
    }
    // Another ciphertext of the same hash is no change; drift is put right.
    assert_eq!(converge_wholly(&wanted(HASH)).iter().filter(|outcome| outcome.changed).count(), 0);
    command("usermod --password x bert");
    told += &format!("{:?}", converge_wholly(&wanted(HASH)));
    assert_eq!(field("/etc/shadow", "bert", 1), HASH);
    told += &format!("{:?}", converge_wholly(&wanted(&second)));
    assert_eq!(field("/etc/shadow", "bert", 1), second);
    // It leaves, by the attribute and with the user.
    told += &format!("{:?}", converge(&json!({"users/bert": {"shell": "/bin/bash"}})));
    assert_eq!(field("/etc/shadow", "bert", 1), found);
    assert_eq!(line("/etc/shadow", "anna"), None);
    for hash in [HASH, &second, found] {
        assert!(!told.contains(hash), "{told}");
        let holding = Command::new("grep").args(["-rlF", hash, "/run/muster-test"]).output().expect("runs");
        assert_eq!(String::from_utf8_lossy(&holding.stdout), "", "{hash}");
    }
}
