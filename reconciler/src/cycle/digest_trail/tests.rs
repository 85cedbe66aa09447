#![allow(clippy::unwrap_used)]
use super::*;

const MINUTE: u64 = 60_000;

fn at(minutes: u64) -> Timestamp {
    Timestamp(1_780_000_000_000 + minutes * MINUTE)
}

fn digest(name: char) -> Sha256Digest {
    Sha256Digest::of(name.to_string().as_bytes())
}

/// What the changes, at these minutes, come to: the names that were taken, and the one that closed a loop.
fn walk(first: char, changes: &[(char, u64)]) -> (String, Option<char>) {
    let mut trail = DigestTrail::new("1".repeat(40).parse().unwrap(), digest(first));
    let mut taken = String::from(first);
    for (name, minutes) in changes {
        if trail.would_loop(digest(*name), at(*minutes)) {
            return (taken, Some(*name));
        }
        trail.push(digest(*name), at(*minutes));
        taken.push(*name);
    }
    (taken, None)
}

#[test]
fn to_and_fro_within_ten_minutes_is_a_loop() {
    assert_eq!(walk('a', &[('b', 0), ('a', 5), ('b', 10)]), ("aba".into(), Some('b')));
    assert_eq!(walk('x', &[('a', 0), ('b', 1), ('a', 2), ('b', 3)]), ("xaba".into(), Some('b')));
    let long: Vec<(char, u64)> =
        ('c'..='p').map(|name| (name, 0)).chain([('a', 1), ('b', 2), ('a', 3), ('b', 4)]).collect();
    assert_eq!(walk('a', &long).1, Some('b'));
}

#[test]
fn slow_or_other_changes_are_none() {
    assert_eq!(walk('a', &[('b', 0), ('a', 5), ('b', 11)]).1, None);
    assert_eq!(walk('a', &[('b', 0), ('a', 1)]).1, None, "once back is no loop");
    assert_eq!(walk('a', &[('b', 0), ('c', 1), ('a', 2), ('b', 3), ('c', 4)]).1, None);
    assert_eq!(walk('a', &[('b', 0), ('c', 1), ('b', 2)]).1, None);
}
