use super::Later;
use muster_schema::Address;
use std::time::{Duration, Instant};

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn taken(later: &mut Later, now: Instant, installing: bool) -> Vec<String> {
    later.take_due(now, || installing).iter().map(Address::to_string).collect()
}

#[test]
fn what_is_due_is_taken_once() {
    let (mut later, now) = (Later::default(), Instant::now());
    later.at(address("files/a"), now + seconds(2));
    later.at(address("files/a"), now + seconds(1));
    later.at(address("files/a"), now + seconds(3));
    later.not_before(address("packages/p"), now + seconds(1));
    later.not_before(address("packages/p"), now + seconds(4));
    later.at(address("files/b"), now);
    later.forget(&address("files/b"));
    assert_eq!(later.due(), Some(now + seconds(1)));
    assert_eq!(taken(&mut later, now, false), [""; 0]);
    assert_eq!(taken(&mut later, now + seconds(1), false), ["files/a"]);
    assert_eq!(later.due(), Some(now + seconds(4)));
    assert_eq!(taken(&mut later, now + seconds(4), false), ["packages/p"]);
    assert_eq!(later.due(), None);
}

#[test]
fn packages_and_services_wait_while_somebody_installs() {
    let (mut later, now) = (Later::default(), Instant::now());
    for one in ["files/a", "packages/p", "services/s", "users/u"] {
        later.at(address(one), now);
    }
    assert_eq!(taken(&mut later, now, true), ["files/a", "users/u"]);
    assert_eq!(later.due(), Some(now + seconds(2)));
    assert_eq!(taken(&mut later, now + seconds(2), true), [""; 0]);
    assert_eq!(taken(&mut later, now + seconds(4), false), ["packages/p", "services/s"]);

    // Not for ever.
    later.at(address("services/s"), now);
    assert_eq!(taken(&mut later, now, true), [""; 0]);
    assert_eq!(taken(&mut later, now + seconds(599), true), [""; 0]);
    assert_eq!(taken(&mut later, now + seconds(601), true), ["services/s"]);
}
