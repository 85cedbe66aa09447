use super::{give_way, settled_members, unite, wanted_members};
use crate::resource::Value;
use muster_schema::resource::Membership;

const EXACT: Option<Membership> = Some(Membership::Exact);
const MIN: Option<Membership> = None;

fn names(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn list(text: &str) -> Value {
    names(text).into()
}

/// What comes of `observed` under what a specification asks for.
fn settle(wanted: &Value, observed: &str) -> String {
    settled_members(wanted.list().expect("a list"), &names(observed)).join(" ")
}

#[test]
fn at_least_these_or_exactly_these() {
    let min = wanted_members(Some(&names("a b")), MIN).expect("asked");
    assert_eq!(settle(&min, "b c"), "a b c");
    let exact = wanted_members(Some(&names("a b")), EXACT).expect("asked");
    assert_eq!(settle(&exact, "b c"), "a b");
    assert_eq!(settle(&wanted_members(Some(&Vec::new()), EXACT).expect("asked"), "b c"), "");
    assert_eq!(wanted_members(None, EXACT), None);
}

#[test]
fn what_was_added_goes_and_what_others_added_stays() {
    // Found: a. We asked for a and b. Somebody added c since.
    let back = give_way(&names("a b"), MIN, None, Some(&list("a"))).expect("a way back");
    assert_eq!(settle(&back, "a b c"), "a c");
    assert_eq!(settle(&back, "b c"), "a c", "a was there");
    let back = give_way(&names("a b"), EXACT, None, Some(&list("a d"))).expect("a way back");
    assert_eq!(settle(&back, "a b c"), "a d", "exactly what was found");
}

#[test]
fn a_shorter_list_gives_up_what_it_added() {
    let next = list("a");
    let wanted = give_way(&names("a b"), MIN, Some(&next), Some(&list("x"))).expect("more than the list");
    assert_eq!(settle(&wanted, "a b x y"), "a x y");
    assert_eq!(give_way(&names("a b"), MIN, Some(&next), Some(&list("b"))), None, "b was there before us");
    let wanted = give_way(&names("a"), EXACT, Some(&next), Some(&list("b"))).expect("more than the list");
    assert_eq!(settle(&wanted, "a"), "a b", "what was removed comes back");
    let exact = wanted_members(Some(&names("c")), EXACT).expect("asked");
    assert_eq!(give_way(&names("a b"), MIN, Some(&exact), Some(&list("x"))), None);
}

#[test]
fn what_the_other_side_asks_for_stays() {
    let wanted = unite(&names("a !b !c"), &["b"]);
    assert_eq!(settled_members(&wanted, &names("b c")), ["a", "b"]);
    let wanted = unite(&names("= a"), &["b"]);
    assert_eq!(settled_members(&wanted, &names("b c")), ["a", "b"]);
    assert_eq!(settled_members(&wanted, &names("c")), ["a"], "the other side adds its own");
}
