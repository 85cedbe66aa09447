#![allow(clippy::unwrap_used)]
use std::str::FromStr;

use super::*;

fn keys() -> (tempfile::TempDir, HostKeys) {
    let dir = tempfile::tempdir().unwrap();
    let keys = HostKeys::load_or_make(dir.path()).unwrap();
    (dir, keys)
}

fn challenge(recipient: &str, bytes: &[u8]) -> Challenge {
    let recipient = age::x25519::Recipient::from_str(recipient).unwrap();
    Challenge { ciphertext: STANDARD.encode(age::encrypt(&recipient, bytes).unwrap()) }
}

#[test]
fn a_challenge_to_us_is_answered() {
    let (_dir, keys) = keys();
    let answer = answer_challenge(&keys, &challenge(&keys.recipient(), &[7; 32])).unwrap();
    assert_eq!((answer.answer, answer.recipient), ("07".repeat(32), keys.recipient()));
}

#[test]
fn a_challenge_to_another_or_a_malformed_one_is_not() {
    let (_dir, ours) = keys();
    let (_other_dir, other) = keys();
    let foreign = answer_challenge(&ours, &challenge(&other.recipient(), &[7; 32]));
    assert!(matches!(foreign, Err(EnrolError::Answer(_))));
    for ciphertext in ["", "not base64!", &"A".repeat(MAX_CHALLENGE_BYTES + 4)] {
        assert!(answer_challenge(&ours, &Challenge { ciphertext: ciphertext.into() }).is_err(), "{ciphertext:.20}");
    }
}

#[test]
fn a_host_shows_itself_often_at_first_and_seldom_later() {
    assert_eq!(next_wait(Duration::ZERO), SHORTEST_WAIT);
    assert_eq!(next_wait(Duration::from_secs(60)), Duration::from_secs(6));
    assert_eq!(next_wait(Duration::from_secs(100_000)), LONGEST_WAIT);
}
