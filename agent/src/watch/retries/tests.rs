use super::Retries;
use muster_schema::Address;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

fn one() -> (Address, BTreeSet<Address>) {
    let address: Address = "services/web".parse().unwrap();
    (address.clone(), [address].into())
}

#[test]
fn what_fails_is_tried_less_and_less_often() {
    let (mut retries, begun) = (Retries::up_to(30 * SECOND), Instant::now());
    let (address, alone) = one();
    retries.note(&address, true, begun);
    let mut tries = Vec::new();
    for second in 0..120 {
        let now = begun + second * SECOND;
        if retries.take_due(now) == alone {
            tries.push(second);
            retries.note(&address, true, now);
        }
    }
    assert_eq!(tries, [5, 15, 35, 65, 95]);
}

#[test]
fn failures_that_others_cause_do_not_move_the_next_try() {
    let (mut retries, begun) = (Retries::up_to(300 * SECOND), Instant::now());
    let (address, alone) = one();
    for second in 0..5 {
        retries.note(&address, true, begun + second * SECOND);
    }
    assert_eq!(retries.due(), Some(begun + 5 * SECOND));
    assert_eq!(retries.take_due(begun + 5 * SECOND), alone);
}

#[test]
fn what_is_right_or_gone_is_not_tried_again() {
    let (mut retries, begun) = (Retries::up_to(SECOND), Instant::now());
    let (address, _) = one();
    retries.note(&address, true, begun);
    assert_eq!(retries.due(), Some(begun + SECOND), "not later than the longest pause");
    retries.note(&address, false, begun);
    assert_eq!(retries.due(), None);
    retries.note(&address, true, begun);
    retries.keep(&BTreeSet::new());
    assert_eq!(retries.due(), None);
}
