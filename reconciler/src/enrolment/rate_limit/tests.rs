use super::*;

fn taken(limit: &mut RateLimit<u32>, key: u32, now: u64, tries: u32) -> u32 {
    (0..tries).map(|_| u32::from(limit.take(key, Timestamp(now)))).sum()
}

#[test]
fn a_burst_passes_and_then_the_steady_rate() {
    let mut limit = RateLimit::new(5, 2, 10);
    assert_eq!(taken(&mut limit, 1, 1_000, 100), 5);
    assert_eq!(taken(&mut limit, 1, 1_499, 100), 0);
    assert_eq!(taken(&mut limit, 1, 1_500, 100), 1);
    assert_eq!(taken(&mut limit, 1, 60_000, 100), 5, "never more than the burst");
    assert_eq!(taken(&mut limit, 2, 60_000, 100), 5, "another has a bucket of its own");
}

#[test]
fn a_flood_of_keys_does_not_grow_the_table() {
    let mut limit = RateLimit::new(1, 1, 3);
    assert_eq!((1..100).map(|key| taken(&mut limit, key, 0, 1)).sum::<u32>(), 3);
    assert_eq!(limit.buckets.len(), 3);
    assert_eq!(taken(&mut limit, 100, 1_000, 1), 1, "full buckets make room");
}

#[test]
fn a_clock_that_goes_back_gives_nothing_away() {
    let mut limit = RateLimit::new(1, 1, 3);
    assert_eq!(taken(&mut limit, 1, 5_000, 9), 1);
    assert_eq!(taken(&mut limit, 1, 0, 9), 0);
    assert_eq!(taken(&mut limit, 1, 5_500, 9), 0);
}
