use super::FlapLimit;
use muster_schema::Address;
use std::time::{Duration, Instant};

#[test]
fn a_fight_is_left_to_sweeps_for_a_while() {
    let (mut limit, now) = (FlapLimit::default(), Instant::now());
    let address: Address = "files/etc/motd".parse().unwrap();
    assert!((1..20).all(|_| !limit.count(&address, false, now)));
    assert!(!limit.flaps(&address, now));
    assert!(limit.count(&address, false, now), "it is said once");
    assert!(limit.flaps(&address, now));
    assert!(!limit.flaps(&address, now + Duration::from_secs(60)));
}

#[test]
fn what_cannot_be_put_right_is_given_up_sooner() {
    let (mut limit, now) = (FlapLimit::default(), Instant::now());
    let address: Address = "services/broken".parse().unwrap();
    assert!(!limit.count(&address, true, now));
    assert!(!limit.count(&address, true, now));
    assert!(limit.count(&address, true, now));
    assert!(limit.flaps(&address, now));
    limit.forget_old(now + Duration::from_secs(60));
    assert!(limit.tries.is_empty());
}
