//! `muster broker setup` on a real broker, and a fleet that lives by what it made.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

#[path = "broker_setup/rekey.rs"]
mod rekey;
#[path = "broker_setup/site.rs"]
mod site;
#[path = "broker_setup/tls.rs"]
mod tls;

use std::fs;

use muster_tests::fleet::SOON;
use muster_tests::need;
use muster_tests::wait::wait_until;

use crate::site::Site;

#[test]
fn broker_set_up_serves_a_fleet_and_a_second_run_changes_nothing() {
    if !need::has(need::BROKER) {
        return;
    }
    let mut site = Site::begin();
    site.broker.control(&["add_user", "somebody", "else"]).unwrap();
    site.broker.control(&["set_permissions", "-p", "muster", "somebody", "a", "b", "c"]).unwrap();
    let before = site.definitions();
    site.setup(&["--fleet", "lab", "--apply"], 0);
    site.start_fleet();
    site.setup(&["--check"], 0);

    let one = site.agent("one");
    let approved = site.fleet.approve("production", "one", "").unwrap();
    site.wait_enrolled("one");
    // Without a user of its own it has no head yet.
    let text = site.setup(&["--check"], 1);
    assert!(text.contains("+ user lab~host~one"), "{text}");
    site.setup(&["--apply"], 0);
    let motd = one.root().join("etc/motd");
    wait_until("the file", SOON, || fs::read_to_string(&motd).is_ok_and(|text| text == "hello\n")).unwrap();
    site.fleet.wait_synced("one", &approved).unwrap();
    assert!(site.connected_users().contains(&"lab~host~one".to_owned()));
    assert!(!site.connected_users().contains(&"lab~enrol".to_owned()), "enrolment is over");

    let made = site.definitions();
    let text = site.setup(&["--apply"], 0);
    assert!(text.contains("nothing to change"), "{text}");
    assert_eq!(site.definitions(), made);
    for kind in ["users", "permissions", "vhosts"] {
        for held in before[kind].as_array().unwrap() {
            assert!(made[kind].as_array().unwrap().contains(held), "{kind}: {held} was touched");
        }
    }

    // More than it is to have goes, and its own comes back.
    site.broker.control(&["set_permissions", "-p", "muster", "lab~host~one", ".*", ".*", ".*"]).unwrap();
    site.broker.control(&["set_user_tags", "lab~host~one", "muster~lab", "administrator"]).unwrap();
    site.setup(&["--apply"], 0);
    assert_eq!(site.definitions(), made);

    fs::remove_file(site.fleet.repository.work().join("environments/production/hosts/one.yaml")).unwrap();
    site.fleet.repository.publish("hosts: Retire one").unwrap();
    site.fleet.wait_host("one", "to be retired", |host| host["reason"] == "Retired").unwrap();
    wait_until("the retired host's user to go", SOON, || site.setup(&["--apply"], 0).contains("- user lab~host~one"))
        .unwrap();
    wait_until("its connection to end", SOON, || !site.connected_users().contains(&"lab~host~one".to_owned())).unwrap();
}

#[test]
fn broker_set_up_is_refused_where_it_would_guess() {
    if !need::has(need::BROKER) {
        return;
    }
    let site = Site::begin();
    let text = site.setup(&["--apply"], 2);
    assert!(text.contains("no status branch") && text.contains("--fleet NAME"), "{text}");
    // A user of that name who is somebody else's.
    site.broker.control(&["add_user", "lab~orchestrator", "theirs"]).unwrap();
    let before = site.definitions();
    let text = site.setup(&["--fleet", "lab", "--apply"], 2);
    assert!(text.contains("'lab~orchestrator' that muster did not make"), "{text}");
    assert_eq!(site.definitions(), before);
}
