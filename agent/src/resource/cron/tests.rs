#![allow(clippy::disallowed_methods)]

use super::{path_of, render_entry};
use crate::resource::test_converger::{converge, converge_wholly, differences, outcome_of};
use crate::test_machine::enter;
use muster_schema::resource::{CronSpec, Meta, ResourceSpec};
use muster_schema::state::ResourceState;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;

fn entry(attributes: Value) -> CronSpec {
    serde_json::from_value(attributes).expect("an entry")
}

#[test]
fn an_entry_is_in_the_form_of_a_crontab_with_users() {
    let spec = entry(json!({
        "schedule": "17  3 * * mon-fri", "user": "postgres", "command": ["/bin/dump", "--to=/srv", "a b"],
        "env": {"MAILTO": "", "WORD": "a \"b\""},
    }));
    assert_eq!(
        render_entry(&spec),
        "# Managed by muster: changes here are taken back.\nMAILTO=\"\"\nWORD='a \"b\"'\n\
         17 3 * * mon-fri postgres /bin/dump --to=/srv 'a b'\n"
    );
    assert_eq!(path_of("db.dump").expect("a path").as_str(), "/etc/cron.d/db_2edump");
}

#[test]
fn arguments_reach_the_program_as_they_are_written() {
    let words = ["a b", "", "it's", "$HOME `id` \\", "50%", "%Y\\%m", "*", "#x", "ü;|&"];
    let command: Vec<&str> = ["/usr/bin/printf", "[%s]"].into_iter().chain(words).collect();
    let text = render_entry(&entry(json!({"schedule": "@daily", "command": command})));
    let line = text.lines().last().and_then(|line| line.strip_prefix("@daily root ")).expect("the command");
    // What cron does before it gives the line to sh: `\%` is `%`, and `%` alone would end the line.
    let line = line.replace("\\%", "\0");
    assert!(!line.contains('%'), "{line}");
    let told = Command::new("sh").args(["-c", &line.replace('\0', "%")]).output().expect("runs");
    assert_eq!(String::from_utf8_lossy(&told.stdout), words.map(|word| format!("[{word}]")).concat());
}

#[test]
fn what_cron_would_read_otherwise_is_refused() {
    for bad in [
        json!({"schedule": "@daily"}),
        json!({"command": ["ls"]}),
        json!({"schedule": "@daily", "command": []}),
        json!({"schedule": "61 * * * *", "command": ["ls"]}),
        json!({"schedule": "@daily", "command": ["ls\n* * * * * root id"]}),
        json!({"schedule": "@daily", "command": ["ls"], "user": "root id"}),
        json!({"schedule": "@daily", "command": ["ls"], "env": {"A B": "c"}}),
        json!({"schedule": "@daily", "command": ["ls"], "env": {"A": "'\""}}),
        json!({"schedule": "@daily", "command": ["ls"], "env": {"A": "b\nc"}}),
    ] {
        assert!(entry(bad.clone()).contradiction(&Meta::default()).is_some(), "{bad}");
    }
}

#[test]
fn an_entry_is_written_heals_and_goes_back_to_what_was_found() {
    if !enter("resource::cron::tests::an_entry_is_written_heals_and_goes_back_to_what_was_found") {
        return;
    }
    fs::create_dir_all("/etc/cron.d").expect("made");
    fs::write("/etc/cron.d/found", "@daily root true\n").expect("written");
    fs::set_permissions("/etc/cron.d/found", fs::Permissions::from_mode(0o640)).expect("set");
    let wanted = json!({
        "cron/new": {"schedule": "@hourly", "command": ["ls", "a b"]},
        "cron/found": {"schedule": "@hourly", "command": ["ls"], "user": "games"},
    });
    converge_wholly(&wanted);
    let read = |name: &str| fs::read_to_string(format!("/etc/cron.d/{name}")).expect("there");
    assert!(read("new").ends_with("@hourly root ls 'a b'\n"));
    let meta = fs::metadata("/etc/cron.d/found").expect("there");
    assert_eq!((meta.mode() & 0o7777, meta.uid()), (0o644, 0));
    let inode = meta.ino();
    converge_wholly(&wanted);
    assert_eq!(fs::metadata("/etc/cron.d/found").expect("there").ino(), inode, "nothing changed");

    fs::write("/etc/cron.d/found", "@hourly root evil\n").expect("written");
    assert_eq!(differences(&wanted).len(), 1);
    converge_wholly(&wanted);
    assert!(read("found").ends_with("@hourly games ls\n"));

    converge_wholly(&json!({}));
    assert_eq!(read("found"), "@daily root true\n");
    assert_eq!(fs::metadata("/etc/cron.d/found").expect("there").mode() & 0o7777, 0o640);
    assert!(!fs::exists("/etc/cron.d/new").expect("known"));

    fs::remove_dir_all("/etc/cron.d").expect("gone");
    let outcomes = converge(&json!({"cron/new": {"schedule": "@hourly", "command": ["ls"]}}));
    assert_eq!(outcome_of(&outcomes, "cron/new").state, Some(ResourceState::Blocked));
}
