use super::*;

fn entry(action: &str) -> AuditEntry {
    AuditEntry {
        at: Timestamp(1),
        who: "local".to_owned(),
        action: action.to_owned(),
        hosts: "web-1".to_owned(),
        decision: Decision::Allow,
        reason: String::new(),
    }
}

#[test]
fn lines_are_chained_over_restarts_and_a_torn_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    let log = AuditLog::open(folder.path()).unwrap();
    log.append(entry("one")).unwrap();
    log.append(entry("two")).unwrap();
    drop(log);
    AuditLog::open(folder.path()).unwrap().append(entry("three")).unwrap();
    File::options().append(true).open(&path).unwrap().write_all(b"{\"prev\":").unwrap();
    AuditLog::open(folder.path()).unwrap().append(entry("four")).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 5, "{text}");
    assert_eq!(check_chain(text.as_bytes()), Ok(()));

    let changed = text.replace("two", "owt");
    assert_eq!(check_chain(changed.as_bytes()), Err(3), "the line after the changed one tells");
    let without: String = text.lines().filter(|line| !line.contains("two")).map(|line| format!("{line}\n")).collect();
    assert_eq!(check_chain(without.as_bytes()), Err(2));
    assert_eq!(check_chain(b""), Ok(()));
}
