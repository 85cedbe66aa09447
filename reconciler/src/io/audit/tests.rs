use muster_schema::Timestamp;

use super::*;
use crate::audit::{AuditFault, CheckpointSeen, Decision, check_end_of_log, check_log, load_entries};

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

/// A segment ends after its first line.
const SHORT: SegmentLimits = SegmentLimits { bytes: 1, age: Duration::from_secs(1000) };

fn seen(log: &AuditLog) -> CheckpointSeen {
    CheckpointSeen { commit: "c".to_owned(), checkpoint: log.checkpoint().unwrap() }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.collect();
    names.sort();
    names
}

#[test]
fn segments_are_one_chain_and_checkpoints_hold_over_them() {
    let folder = tempfile::tempdir().unwrap();
    let log = AuditLog::open_with(folder.path(), SHORT).unwrap();
    let mut all = Vec::new();
    for action in ["one", "two", "three"] {
        log.append([entry(action), entry(action)]).unwrap();
        all.push(seen(&log));
    }
    assert_eq!(names(folder.path()), ["audit-000000000001.log", "audit-000000000003.log", "audit.log"]);
    let whole = read_log(folder.path()).unwrap();
    assert_eq!(load_entries(&whole).len(), 6);
    assert_eq!(check_log(&whole, &all), []);
    // Over a restart, too; and the file alone is the end of the log.
    let log = AuditLog::open_with(folder.path(), SHORT).unwrap();
    log.append([entry("four")]).unwrap();
    all.push(seen(&log));
    assert_eq!((all[3].checkpoint.lines, lines_before(&read_log(&folder.path().join(AUDIT_LOG)).unwrap())), (7, 6));
    assert_eq!(check_log(&read_log(folder.path()).unwrap(), &all), []);

    // What was moved away after a checkpoint is missed, unless that is said; the rest is proved, and tied to it.
    std::fs::remove_file(folder.path().join("audit-000000000001.log")).unwrap();
    let rest = read_log(folder.path()).unwrap();
    assert_eq!(check_log(&rest, &all), [AuditFault::NoBeginning { lines: 2 }]);
    assert_eq!(check_end_of_log(&rest, &all), []);
    let text = String::from_utf8(rest.clone()).unwrap();
    assert!(matches!(
        check_end_of_log(text.replacen("two", "owt", 1).as_bytes(), &all)[..],
        [AuditFault::Broken { line: 4 }]
    ));
    let forged = text.replacen(&all[0].checkpoint.last.to_string(), &"0".repeat(64), 1);
    let faults = check_end_of_log(forged.as_bytes(), &all);
    assert!(faults.iter().any(|fault| matches!(fault, AuditFault::Forked { line: 2, .. })), "{faults:?}");
    // A number that hides checkpoints, or lines that are gone from the middle.
    let later = text.replacen("\"after\":2", "\"after\":900", 1);
    let faults = check_end_of_log(later.as_bytes(), &all);
    assert!(faults.iter().any(|fault| matches!(fault, AuditFault::Uncovered { after: 900, had: 7, .. })), "{faults:?}");
    std::fs::remove_file(folder.path().join("audit-000000000005.log")).unwrap();
    let end = read_log(folder.path()).unwrap();
    assert_eq!((lines_before(&end), check_log(&end, &all)), (6, vec![AuditFault::NoBeginning { lines: 6 }]));
    assert_eq!(AuditLog::open(folder.path()).unwrap().checkpoint().unwrap(), all[3].checkpoint);
}

#[test]
fn a_segment_ends_when_it_is_old() {
    let folder = tempfile::tempdir().unwrap();
    let log =
        AuditLog::open_with(folder.path(), SegmentLimits { bytes: u64::MAX, age: Duration::from_millis(10) }).unwrap();
    let at = |millis| AuditEntry { at: Timestamp(millis), ..entry("x") };
    log.append([at(1)]).unwrap();
    log.append([at(10)]).unwrap();
    assert_eq!(names(folder.path()), [AUDIT_LOG]);
    log.append([at(11)]).unwrap();
    assert_eq!(names(folder.path()), ["audit-000000000001.log", AUDIT_LOG]);
    assert_eq!(check_log(&read_log(folder.path()).unwrap(), &[seen(&log)]), []);
}

#[test]
fn a_crash_at_any_step_of_a_new_segment_loses_no_line() {
    for steps in 0..=STEPS {
        for torn in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let log = AuditLog::open(folder.path()).unwrap();
            log.append([entry("one"), entry("two")]).unwrap();
            let before = seen(&log);
            drop(log);
            drop(begin_segment(folder.path(), 1, steps).unwrap());
            if torn && steps == STEPS {
                // It ended in the middle of the first line, too.
                std::fs::write(folder.path().join(AUDIT_LOG), "{\"prev\":\"").unwrap();
            }
            let log = AuditLog::open(folder.path()).unwrap();
            assert_eq!(log.checkpoint().as_ref(), Some(&before.checkpoint), "after step {steps}");
            log.append([entry("three")]).unwrap();
            let whole = read_log(folder.path()).unwrap();
            assert_eq!(check_log(&whole, &[before, seen(&log)]), [], "after step {steps}");
            assert_eq!(load_entries(&whole).len(), 3, "after step {steps}");
            assert!(!names(folder.path()).contains(&"audit.log.new".to_owned()));
        }
    }
}

#[test]
fn a_full_disk_refuses_what_is_to_be_written_and_a_segment_that_cannot_begin_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let log = AuditLog::open_with(folder.path(), SHORT).unwrap();
    log.append([entry("one")]).unwrap();
    // Something stands where the segment would be.
    std::fs::create_dir(folder.path().join("audit-000000000001.log")).unwrap();
    log.append([entry("two")]).unwrap();
    std::fs::remove_dir(folder.path().join("audit-000000000001.log")).unwrap();
    log.append([entry("three")]).unwrap();
    assert_eq!(names(folder.path()), ["audit-000000000001.log", AUDIT_LOG]);
    let log = AuditLog::open(folder.path()).unwrap();
    let told = seen(&log);
    log.replace_file(OpenOptions::new().append(true).open("/dev/full").unwrap());
    assert!(log.append([entry("four")]).is_err());
    assert_eq!(seen(&log), told);
    assert_eq!(check_log(&read_log(folder.path()).unwrap(), &[told]), []);
}
