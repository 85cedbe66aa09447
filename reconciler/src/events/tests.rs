#![allow(clippy::unwrap_used)]
use super::*;

fn push(log: &EventLog, at: u64) {
    log.push(Timestamp(at), EventKind::HostDrift, None, "");
}

#[test]
fn ids_count_up_whatever_the_clock_says() {
    let log = EventLog::default();
    for at in [1_000, 1_000, 500, 2_000] {
        push(&log, at);
    }
    let ids: Vec<u64> = log.kept().iter().map(|event| event.id).collect();
    assert_eq!(ids, [1_000, 1_001, 1_002, 2_000]);
}

#[tokio::test]
async fn who_comes_back_gets_what_came_meanwhile_and_then_what_comes() {
    let log = EventLog::default();
    push(&log, 10);
    push(&log, 20);
    let Following { is_whole, missed, mut coming } = log.follow(Some(10));
    assert!(is_whole);
    assert_eq!(missed.iter().map(|event| event.id).collect::<Vec<_>>(), [20]);
    push(&log, 30);
    assert_eq!(coming.recv().await.unwrap().id, 30);
    assert!(log.follow(None).is_whole && log.follow(None).missed.is_empty());
}

#[test]
fn who_was_away_for_too_long_or_over_a_restart_is_told() {
    let log = EventLog::default();
    assert!(!log.follow(Some(5)).is_whole, "an event of before the restart");
    for at in 1..=KEPT as u64 + 2 {
        push(&log, at);
    }
    assert!(log.follow(Some(3)).is_whole);
    assert!(!log.follow(Some(2)).is_whole, "it is not kept any more");
    assert_eq!(log.follow(Some(2)).missed.len(), KEPT);
}
