#![allow(clippy::unwrap_used)]
use super::*;

const NOW: Timestamp = Timestamp(1_795_000_000_000);
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

fn heads(data: &Path, text: &str) -> Vec<String> {
    let found = load_archived(data, Kind::Heads, text).unwrap();
    found.into_iter().map(|frame| String::from_utf8(frame).unwrap()).collect()
}

#[test]
fn days_that_are_too_old_go() {
    let data = tempfile::tempdir().unwrap();
    let mut archive = Archive::open(data.path(), WEEK, NOW).unwrap();
    for day in 0..10_u32 {
        archive.keep_heads(&[format!("web {day}").into_bytes()], NOW.plus(DAY * day)).unwrap();
    }
    let kept: Vec<String> = (2..10).map(|day| format!("web {day}")).collect();
    assert_eq!(heads(data.path(), "web"), kept);
    drop(archive);
    Archive::open(data.path(), WEEK, NOW.plus(DAY * 12)).unwrap();
    assert_eq!(heads(data.path(), "web"), kept[3..]);
}

#[test]
fn others_are_left_out() {
    let data = tempfile::tempdir().unwrap();
    assert_eq!(heads(data.path(), "web"), [""; 0]);
    let mut archive = Archive::open(data.path(), WEEK, NOW).unwrap();
    archive.keep_heads(&[b"db 1".to_vec(), b"web 1".to_vec()], NOW).unwrap();
    assert_eq!(heads(data.path(), "web"), ["web 1"]);
}

#[test]
fn what_a_crash_kept_from_it_comes_at_the_next_start() {
    let data = tempfile::tempdir().unwrap();
    let mut archive = Archive::open(data.path(), WEEK, NOW).unwrap();
    archive.keep_heads(&[b"web 1".to_vec()], NOW).unwrap();
    let next = NOW.plus(DAY);
    archive.keep_missing_heads(vec![b"web 1".to_vec(), b"web 2".to_vec()], next).unwrap();
    archive.keep_missing_heads(vec![b"web 2".to_vec()], next).unwrap();
    assert_eq!(heads(data.path(), "web"), ["web 1", "web 2"]);
}
