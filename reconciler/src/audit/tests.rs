use muster_schema::{Sha256Digest, Timestamp};

use super::*;

fn log(actions: &[&str]) -> Vec<u8> {
    let (mut text, mut last) = (Vec::new(), Sha256Digest::of(b""));
    for action in actions {
        let entry = AuditEntry::new(Timestamp(1), "local", *action, Decision::Allow, "Allowed");
        let line = chained_line(last, None, entry).unwrap();
        last = Sha256Digest::of(&line);
        text.extend(line);
        text.push(b'\n');
    }
    text
}

/// The checkpoints that were made after each of these numbers of lines.
fn checkpoints(text: &[u8], after: &[usize]) -> Vec<CheckpointSeen> {
    let digests = digest_lines(text);
    let seen = |lines: &usize| CheckpointSeen {
        commit: format!("c{lines}"),
        checkpoint: Checkpoint { file: "audit.log".into(), lines: *lines as u64, last: digests[lines - 1] },
    };
    after.iter().map(seen).collect()
}

#[test]
fn a_log_that_lost_its_end_or_is_another_one_is_told() {
    let text = log(&["one", "two", "three", "four"]);
    let seen = checkpoints(&text, &[4, 2, 3]);
    assert_eq!(check_log(&text, &seen), []);
    assert_eq!(check_log(&[text.clone(), log(&[])].concat(), &seen), []);

    let cut: Vec<u8> = text.split_inclusive(|byte| *byte == b'\n').take(2).flatten().copied().collect();
    assert_eq!(check_log(&cut, &seen), [AuditFault::Missing { has: 2, had: 4, commit: "c4".into() }]);
    assert_eq!(check_log(b"", &seen), [AuditFault::Missing { has: 0, had: 4, commit: "c4".into() }]);
    // A whole chain of its own from the third line on.
    let forged = log(&["one", "two", "nothing", "four", "five"]);
    assert_eq!(check_log(&forged, &[]), []);
    assert_eq!(check_log(&forged, &seen), [AuditFault::Forked { after: 2, line: 3, commit: "c3".into() }]);
    // After the cut the log went on, and so did the checkpoints.
    let went_on = checkpoints(&log(&["one", "two", "nothing"]), &[3]);
    let all = [seen, went_on].concat();
    assert!(matches!(check_log(&forged, &all)[..], [AuditFault::Forked { after: 2, line: 3, .. }]));
}

#[test]
fn a_limit_tells_kinds_apart_up_to_a_number() {
    let mut limit = EntryLimit::default();
    for kind in 0..5000 {
        let admitted = limit.admit(&kind.to_string(), Timestamp(1));
        assert_eq!(admitted.is_some(), kind < 1024 + 20, "{kind}");
    }
    assert_eq!(limit.admit("0", Timestamp(2)), Some(0));
    assert!(limit.admit("new", Timestamp(100_000)).is_some());
}

#[test]
fn lines_of_before_there_were_codes_are_read() {
    let old = br#"{"prev":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","at":1,"who":"local","action":"GET /v1/facts","hosts":"web-1","decision":"allow"}"#;
    assert_eq!(load_entries(old)[0].code, "");
    assert_eq!(check_log(old, &[]), []);
}
