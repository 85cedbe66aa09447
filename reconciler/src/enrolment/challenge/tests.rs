#![allow(clippy::unwrap_used)]
use super::*;

const SECRET: [u8; CHALLENGE_BYTES] = [7; CHALLENGE_BYTES];

fn key() -> PublicKey {
    minisign::KeyPair::generate_unencrypted_keypair().unwrap().pk.to_base64().parse().unwrap()
}

#[test]
fn the_right_answer_is_taken_once() {
    let (mut open, key) = (OpenChallenges::default(), key());
    open.ask(key, "age1x".into(), SECRET, Timestamp(0));
    assert_eq!(open.close(&key, "age1x", &"07".repeat(32), Timestamp(1)), Some(true));
    assert_eq!(open.close(&key, "age1x", &"07".repeat(32), Timestamp(1)), None);
}

#[test]
fn a_wrong_late_or_foreign_answer_closes_the_question() {
    let (mut open, key, other) = (OpenChallenges::default(), key(), key());
    let right = "07".repeat(32);
    let cases = [
        (&key, "age1x", "07".repeat(31), 1, Some(false)),
        (&key, "age1y", right.clone(), 1, Some(false)),
        (&key, "age1x", right.clone(), 300_000, None),
        (&other, "age1x", right.clone(), 1, None),
    ];
    for (who, recipient, answer, at, expected) in cases {
        open.ask(key, "age1x".into(), SECRET, Timestamp(0));
        assert_eq!(open.close(who, recipient, &answer, Timestamp(at)), expected, "{recipient} {answer} {at}");
    }
    open.ask(key, "age1x".into(), [8; CHALLENGE_BYTES], Timestamp(0));
    assert_eq!(open.close(&key, "age1x", &right, Timestamp(1)), Some(false), "an older question is void");
}
