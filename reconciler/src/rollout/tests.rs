#![allow(clippy::unwrap_used)]
use super::*;
use crate::model::{Place, Scope};

fn revision(digit: &str) -> CommitId {
    digit.repeat(40).parse().unwrap()
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}

fn fault(scope: Scope) -> Finding {
    Finding::new(Place::start_of("muster.yaml"), "a fault").with_scope(scope)
}

fn start() -> Assignments {
    choose_wave(&Assignments::default(), &revision("a"), &names(&["staging", "production"]), &[])
}

#[test]
fn a_sound_revision_goes_everywhere() {
    let next = choose_wave(&start(), &revision("b"), &names(&["staging"]), &[]);
    assert_eq!(next.anchor, Some(revision("b")));
    assert_eq!(next.environments, [("staging".to_owned(), revision("b"))].into());
}

#[test]
fn a_faulty_environment_keeps_its_revision() {
    let faults = [fault(Scope::Environments(names(&["staging"])))];
    let next = choose_wave(&start(), &revision("b"), &names(&["staging", "production"]), &faults);
    assert_eq!(next.environments["staging"], revision("a"));
    assert_eq!(next.environments["production"], revision("b"));
}

#[test]
fn a_fault_of_the_fleet_stops_all() {
    let next = choose_wave(&start(), &revision("b"), &names(&["staging", "new"]), &[fault(Scope::Fleet)]);
    assert_eq!(next.environments, start().environments);
    assert_eq!(next.anchor, Some(revision("b")), "it was verified all the same");
}

#[test]
fn a_faulty_revision_forgets_no_environment() {
    let faults = [fault(Scope::Environments(names(&["staging"])))];
    let next = choose_wave(&start(), &revision("b"), &names(&["staging"]), &faults);
    assert_eq!(next.environments["production"], revision("a"));
}

#[test]
fn many_retirements_need_their_count_confirmed() {
    let held = revision("b");
    let confirmed = |leaving, messages: &[&str]| retirement_is_confirmed(leaving, 100, messages, &[&held]);
    assert!(confirmed(5, &[]));
    assert!(!confirmed(6, &[]));
    assert!(confirmed(6, &["hosts: Retire\n\nMuster-Confirm: bbbbbbbb 6"]));
    for wrong in
        ["Muster-Confirm: bbbbbbbb 7", "Muster-Confirm: cccccccc 6", "Muster-Confirm: b 6", "Muster-Confirm: 6"]
    {
        assert!(!confirmed(6, &[wrong]), "{wrong}");
    }
    assert!(retirement_is_confirmed(1, 3, &[], &[]), "one host may always go");
    assert!(!retirement_is_confirmed(2, 3, &[], &[]));
}
