use muster_schema::Timestamp;

use super::*;
use crate::audit::{AuditFault, CheckpointSeen, Decision, check_log, load_entries};

fn entry(action: &str) -> AuditEntry {
    let entry = AuditEntry::new(Timestamp(1), "local", action, Decision::Allow, "Allowed");
    AuditEntry { hosts: "web-1".to_owned(), ..entry }
}

#[test]
fn lines_are_chained_over_restarts_and_a_torn_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(AUDIT_LOG);
    let log = AuditLog::open(folder.path()).unwrap();
    assert_eq!(log.checkpoint(), None);
    log.append([entry("one"), entry("two")]).unwrap();
    drop(log);
    AuditLog::open(folder.path()).unwrap().append([entry("three")]).unwrap();
    File::options().append(true).open(&path).unwrap().write_all(b"{\"prev\":").unwrap();
    let log = AuditLog::open(folder.path()).unwrap();
    log.append([entry("four")]).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 5, "{text}");
    assert_eq!(load_entries(text.as_bytes()).len(), 4);
    let seen = CheckpointSeen { commit: "c".to_owned(), checkpoint: log.checkpoint().unwrap() };
    assert_eq!(seen.checkpoint.lines, 5);
    assert_eq!(check_log(text.as_bytes(), &[seen]), []);

    let broken = |text: &str| check_log(text.as_bytes(), &[]);
    let changed = text.replace("two", "owt");
    assert_eq!(broken(&changed), [AuditFault::Broken { line: 3 }], "the line after the changed one tells");
    let without: String = text.lines().filter(|line| !line.contains("two")).map(|line| format!("{line}\n")).collect();
    assert_eq!(broken(&without), [AuditFault::Broken { line: 2 }]);
    assert_eq!(broken(""), []);
}

#[test]
fn a_flood_is_counted_and_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let log = AuditLog::open(folder.path()).unwrap();
    let refused = |at: u64, kind: &str| {
        let entry = AuditEntry::new(Timestamp(at), "10.0.0.1", "message", Decision::Deny, kind);
        log.append_limited(entry, kind).unwrap();
    };
    (0..500).for_each(|at| refused(at, "BadSignature"));
    refused(501, "UnknownKey");
    refused(70_000, "BadSignature");
    let entries = load_entries(&std::fs::read(folder.path().join(AUDIT_LOG)).unwrap());
    assert_eq!(entries.len(), 22);
    assert_eq!((entries[20].code.as_str(), entries[20].unwritten), ("UnknownKey", 0));
    assert_eq!((entries[21].code.as_str(), entries[21].unwritten), ("BadSignature", 480));
}
