use super::*;

fn take(places: &Places, address: &str, tries: usize) -> Vec<Place> {
    (0..tries).filter_map(|_| places.take(address.parse().expect("an address"))).collect()
}

#[test]
fn one_address_cannot_take_all_places() {
    let places = Places::new(HttpLimits { connections: 10, per_address: 4, ..HttpLimits::default() });
    let greedy = take(&places, "192.0.2.1", 9);
    assert_eq!(greedy.len(), 4);
    assert!(take(&places, "::ffff:192.0.2.1", 1).is_empty(), "the same in IPv6's form");
    let others = take(&places, "192.0.2.2", 3);
    let own = take(&places, "127.0.0.1", 9);
    assert_eq!((others.len(), own.len()), (3, 3), "up to ten in all");
    drop(greedy);
    assert_eq!(take(&places, "192.0.2.1", 9).len(), 4, "places come free");
    drop((others, own));
    let taken = places.taken.lock().expect("no panic");
    assert_eq!((taken.all, taken.by_address.len()), (0, 0));
}
