#![allow(clippy::disallowed_methods)]

use std::fs;
use std::process::Command;

use muster_schema::state::ResourceState;
use serde_json::json;

use crate::provider::apt::test_archive::run;
use crate::resource::test_converger::{converge, converge_wholly, outcome_of};
use crate::test_machine::enter;

fn line(name: &str) -> Option<String> {
    let text = fs::read_to_string("/etc/group").expect("read");
    text.lines().find(|line| line.starts_with(&format!("{name}:"))).map(str::to_owned)
}

#[test]
fn a_group_goes_back_to_what_was_found() {
    if !enter("resource::group::tests::a_group_goes_back_to_what_was_found") {
        return;
    }
    run(Command::new("groupadd").args(["--gid", "5000", "found"]));
    run(Command::new("gpasswd").args(["--add", "games", "found"]));
    converge_wholly(&json!({
        "groups/found": {"gid": 5001, "members": ["mail"], "membership": "exact"},
        "groups/fresh": {"system": true, "members": ["games"]},
        "groups/staff": {"meta": {"state": "absent"}},
    }));
    assert_eq!(line("found").as_deref(), Some("found:x:5001:mail"));
    let fresh = line("fresh").expect("made");
    assert!(fresh.ends_with(":games"), "{fresh}");
    assert_eq!(line("staff"), None);
    run(Command::new("gpasswd").args(["--add", "news", "fresh"]));
    converge_wholly(&json!({"groups/fresh": {"members": ["games"]}}));
    assert!(line("fresh").expect("there").contains("news"), "at least these");
    assert_eq!(line("found").as_deref(), Some("found:x:5000:games"));
    assert!(line("staff").is_some());
    converge_wholly(&json!({}));
    assert_eq!(line("fresh"), None);
}

#[test]
fn the_group_of_somebody_is_not_removed() {
    if !enter("resource::group::tests::the_group_of_somebody_is_not_removed") {
        return;
    }
    let outcomes = converge(&json!({
        "groups/games": {"meta": {"state": "absent"}},
        "groups/dev": {"members": ["nobody-there"]},
    }));
    for address in ["groups/games", "groups/dev"] {
        let outcome = outcome_of(&outcomes, address);
        assert_eq!(outcome.state, Some(ResourceState::Blocked), "{outcome:?}");
    }
    assert!(line("games").is_some());
}
