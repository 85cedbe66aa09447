//! What the cycle writes into the audit log, read from the disk.

use super::*;
use muster_schema::condition::ConditionStatus;

use crate::audit::{AuditEntry, CHECKPOINT_PATH, Checkpoint, Decision, check_log, digest_lines, load_entries};
use crate::io::audit::AUDIT_LOG;

impl Fleet {
    pub(super) fn audit_log(&self) -> Vec<u8> {
        std::fs::read(self.orchestrator.config.data.join(AUDIT_LOG)).unwrap()
    }

    fn audited(&self) -> Vec<AuditEntry> {
        let text = self.audit_log();
        assert_eq!(check_log(&text, &[]), []);
        load_entries(&text)
    }
}

fn brief(entry: &AuditEntry) -> (&str, &str, &str, Decision) {
    (&entry.who, &entry.action, &entry.code, entry.decision)
}

#[test]
fn every_revision_and_every_refused_commit_is_written_down_with_its_signer() {
    let mut fleet = Fleet::start();
    let anchor = fleet.orchestrator.assignments().anchor.unwrap();
    fleet.orchestrator.reconcile().unwrap();
    // Nothing new is nothing to be decided.
    fleet.orchestrator.reconcile().unwrap();
    let entries = fleet.audited();
    let first = fleet.repo.head();
    assert_eq!(entries.len(), 2, "{entries:?}");
    assert_eq!(brief(&entries[0]), ("signer:alice@example.com", "push main", "Verified", Decision::Allow));
    assert_eq!(entries[0].commits, format!("{anchor}..{first}"));
    assert_eq!(entries[0].reason, "1 commit");
    let key = format!("key:{}", fleet.identity().key.fingerprint());
    assert_eq!(brief(&entries[1]), (key.as_str(), "enrol", "Approved", Decision::Allow));
    assert_eq!((entries[1].hosts.as_str(), entries[1].commits.clone()), ("web-1", first.to_string()));

    fleet.repo.write("environments/lab/environment.yaml", "{}\n");
    let strange = fleet.repo.commit_as("mallory", "mine");
    fleet.repo.write("x", "x");
    let unsigned = fleet.repo.commit_unsigned("nobody's");
    fleet.repo.git(&["push", "-q", "origin", "main"]);
    assert_eq!(fleet.orchestrator.reconcile().unwrap(), []);
    let entries = fleet.audited();
    let [.., by_mallory, by_nobody] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!(brief(by_nobody), ("unknown", "push main", "UnsignedCommit", Decision::Deny));
    assert_eq!(by_nobody.commits, unsigned.to_string());
    assert_eq!((by_mallory.code.as_str(), by_mallory.commits.clone()), ("UnknownSigner", strange.to_string()));
    let listed = std::process::Command::new("ssh-keygen").arg("-lf").arg(fleet.repo.key("mallory")).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(by_mallory.who.starts_with("SHA256:") && listed.contains(&by_mallory.who), "{listed} {by_mallory:?}");
    assert_eq!(entries.len(), 4);
}

#[test]
fn what_cannot_be_written_down_is_not_followed() {
    let mut fleet = Fleet::start();
    fleet.orchestrator.reconcile().unwrap();
    let before = fleet.orchestrator.assignments();
    // Every write to it fails, also those of root.
    let full = std::fs::OpenOptions::new().append(true).open("/dev/full").unwrap();
    fleet.orchestrator.audit.replace_file(full);
    fleet.push("second");
    assert!(fleet.orchestrator.reconcile().is_err());
    assert_eq!(fleet.orchestrator.assignments(), before);
}

#[tokio::test]
async fn status_commits_hold_how_far_the_log_goes_and_a_log_without_its_end_is_told() {
    let mut fleet = Fleet::start();
    fleet.orchestrator.reconcile().unwrap();
    let first = fleet.commit_status().await;
    fleet.push("second");
    fleet.orchestrator.reconcile().unwrap();
    let second = fleet.commit_status().await;
    let at = |commit: &str| -> Checkpoint {
        let bare = fleet.repo.bare();
        let file = format!("{commit}:{CHECKPOINT_PATH}");
        serde_json::from_str(&fleet.repo.git(&["--git-dir", bare.to_str().unwrap(), "show", &file])).unwrap()
    };
    let (first, second) = (at(&first), at(&second));
    let text = fleet.audit_log();
    let digests = digest_lines(&text);
    assert_eq!((first.lines, first.last, digests.len()), (2, digests[1], 3));
    assert_eq!((second.lines, second.last), (3, digests[2]));

    // What grows alone is not committed at once, and not for ever left out.
    assert_eq!(fleet.orchestrator.status_due(), None);
    fleet.orchestrator.note_announced(&fleet.identity().key, &id());
    let due = fleet.orchestrator.status_due().unwrap() - tokio::time::Instant::now();
    assert!(due > Duration::from_secs(290) && due <= Duration::from_secs(300), "{due:?}");

    let restart = |fleet: Fleet| {
        let Fleet { repo, orchestrator, pair, seq } = fleet;
        let (config, keys) = (orchestrator.config.clone(), keys::load(&repo.path().join("keys"), None).unwrap());
        let branch = StatusBranch::open(&repo.bare(), keys.status.clone(), None).unwrap();
        Fleet { orchestrator: Orchestrator::start(config, keys, branch).unwrap(), repo, pair, seq }
    };
    let intact = |fleet: &Fleet| {
        let state = fleet.orchestrator.state();
        let fleet = state.fleet();
        fleet.conditions.iter().find(|held| held.r#type == "AuditLogIntact").map(|held| held.status)
    };
    let fleet = restart(fleet);
    assert_eq!(intact(&fleet), Some(ConditionStatus::True));
    let two: Vec<u8> = text.split_inclusive(|byte| *byte == b'\n').take(2).flatten().copied().collect();
    std::fs::write(fleet.orchestrator.audit.folder().join(AUDIT_LOG), two).unwrap();
    let fleet = restart(fleet);
    assert_eq!(intact(&fleet), Some(ConditionStatus::False));
    let entries = fleet.audited();
    assert_eq!((entries.len(), entries[2].code.as_str()), (3, "AuditLogChanged"));
}
