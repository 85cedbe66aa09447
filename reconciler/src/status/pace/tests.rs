use super::*;

#[test]
fn the_first_change_goes_at_once_then_one_per_five_seconds() {
    let mut pace = CommitPace::default();
    let at = |millis: u64| Timestamp(1_000_000 + millis);
    assert_eq!(pace.wait(at(0)), Duration::ZERO);
    pace.committed(at(0));
    assert_eq!(pace.wait(at(1)), Duration::from_millis(4_999));
    assert_eq!(pace.wait(at(5_000)), Duration::ZERO);
    assert_eq!(pace.wait(at(60_000)), Duration::ZERO);
    assert_eq!(pace.wait_for_audit(at(60_000)), Duration::from_secs(240));
    pace.committed(at(5_000));
    assert_eq!(pace.wait(at(6_000)), Duration::from_secs(4));
    // The clock was set back.
    assert_eq!(pace.wait(at(0)), Duration::ZERO);
}
