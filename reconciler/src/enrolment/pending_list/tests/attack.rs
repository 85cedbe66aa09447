//! More announcements than there is room for.

use super::*;

#[test]
fn a50_a_flood_is_capped_by_source_and_in_all_and_passes() {
    let (mut list, said) = (PendingList::default(), announce("flood"));
    let full = |list: &mut PendingList, source: &str, now| {
        let listed =
            (0..2 * MAX_PER_SOURCE).map(|_| list.announce(machine_key(), said.clone(), None, source, Timestamp(now)).0);
        listed.filter(|listed| *listed == Listed::Full).count()
    };
    assert_eq!(full(&mut list, "a", 0), MAX_PER_SOURCE);
    let honest = machine_key();
    assert_eq!(
        list.announce(honest, announce("web-1"), None, "b", Timestamp(1)).0,
        Listed::New,
        "another source has room"
    );
    for source in ["c", "d", "e"] {
        let _ = full(&mut list, source, 1);
    }
    assert_eq!(list.iter().count(), MAX_PENDING);
    assert_eq!(list.announce(machine_key(), announce("web-2"), None, "f", Timestamp(2)).0, Listed::Full);

    let later = u64::try_from(PENDING_LIFE.as_millis()).unwrap() + 2;
    let _ = list.announce(honest, announce("web-1"), None, "b", Timestamp(later - 1));
    let (listed, dropped) = list.announce(machine_key(), announce("web-2"), None, "f", Timestamp(later));
    assert_eq!((listed, dropped.len()), (Listed::New, MAX_PENDING - 1));
    assert!(list.get(&honest).is_some(), "who goes on announcing stays");
}

#[test]
fn a50_two_keys_that_claim_one_name_are_two_entries() {
    let mut list = PendingList::default();
    let (first, second) = (machine_key(), machine_key());
    for key in [first, second] {
        assert_eq!(list.announce(key, announce("web-1"), None, "192.0.2.1", Timestamp(1)).0, Listed::New);
    }
    let names: Vec<&str> = list.iter().map(|host| host.announce.name.as_str()).collect();
    assert_eq!(names, ["web-1", "web-1"]);
    assert_ne!(first.fingerprint(), second.fingerprint());
}
