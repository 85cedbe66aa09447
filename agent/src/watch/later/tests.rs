use super::Later;
use crate::resource::Patience;
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
    later.at(address("files/a"), now + seconds(2), Patience::Writer);
    later.at(address("files/a"), now + seconds(1), Patience::Writer);
    later.at(address("files/a"), now + seconds(3), Patience::Writer);
    later.at(address("packages/p"), now + seconds(4), Patience::Installation);
    later.at(address("files/b"), now, Patience::Writer);
    later.forget(&address("files/b"));
    assert_eq!(later.due(), Some(now + seconds(1)));
    assert_eq!(taken(&mut later, now, false), [""; 0]);
    assert_eq!(taken(&mut later, now + seconds(1), false), ["files/a"]);
    assert_eq!(later.due(), Some(now + seconds(4)));
    assert_eq!(taken(&mut later, now + seconds(4), false), ["packages/p"]);
    assert_eq!(later.due(), None);
}

#[test]
fn what_an_installation_changes_waits_for_its_end() {
    let (mut later, now) = (Later::default(), Instant::now());
    later.at(address("files/a"), now, Patience::Writer);
    later.at(address("users/u"), now, Patience::Steps);
    for one in ["packages/p", "services/s"] {
        later.at(address(one), now, Patience::Installation);
    }
    assert_eq!(taken(&mut later, now, true), ["files/a", "users/u"]);
    let soon = now + Duration::from_millis(200);
    assert_eq!(later.due(), Some(soon), "the end of an installation is seen within a moment");
    assert_eq!(taken(&mut later, soon, true), [""; 0]);
    assert_eq!(taken(&mut later, soon + seconds(1), false), ["packages/p", "services/s"]);

    // Not for ever.
    later.at(address("services/s"), now, Patience::Installation);
    assert_eq!(taken(&mut later, now, true), [""; 0]);
    assert_eq!(taken(&mut later, now + seconds(599), true), [""; 0]);
    assert_eq!(taken(&mut later, now + seconds(601), true), ["services/s"]);
}
