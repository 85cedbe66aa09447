//! `muster audit` on a log and a clone, as an auditor has them: without an orchestrator, without a network.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use muster_reconciler::audit::{AuditEntry, CHECKPOINT_PATH, Decision};
use muster_reconciler::io::audit::{AuditLog, read_log};
use muster_reconciler::io::git::{StatusBranch, init_bare_repository};
use muster_reconciler::keys;
use muster_reconciler::status::StatusFiles;
use muster_schema::Timestamp;
use tempfile::TempDir;

/// A log and the status branch with its checkpoints.
struct Evidence {
    folder: TempDir,
    log: AuditLog,
    branch: StatusBranch,
}

impl Evidence {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = keys::generate_ssh(&folder.path().join("status"), "status").unwrap();
        let bare = folder.path().join("state.git");
        init_bare_repository(&bare).unwrap();
        let branch = StatusBranch::open(&bare, key, None).unwrap();
        Evidence { log: AuditLog::open(&folder.path().join("data")).unwrap(), folder, branch }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn note(&self, day: u64, who: &str, decision: Decision) {
        self.log.append([AuditEntry::new(time(day), who, "GET /v1/facts", decision, "Forbidden")]).unwrap();
    }

    fn checkpoint(&mut self, day: u64) {
        let bytes = self.log.checkpoint().unwrap().to_file().unwrap();
        let files = [(CHECKPOINT_PATH.to_owned(), Some(bytes))].into();
        let files = StatusFiles { files, whole_folders: Vec::new() };
        self.branch.commit(&files, "status: Update", time(day)).unwrap().unwrap();
    }

    fn git(&self, args: &[&str]) -> String {
        let mut git = Command::new("git");
        git.env("HOME", self.folder.path()).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        let output = git.args(args).current_dir(self.folder.path()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn audit(&self, args: &[&str]) -> Output {
        let mut muster = Command::new(env!("CARGO_BIN_EXE_muster"));
        muster.env("HOME", self.folder.path()).env_remove("MUSTER_DATA");
        muster.arg("audit").args(args).current_dir(self.folder.path()).output().unwrap()
    }

    /// Exit code and verdict of a check of `log` against the clone.
    fn verify(&self, log: &Path) -> (i32, serde_json::Value) {
        let log = log.to_str().unwrap();
        let checked =
            self.audit(&["verify", "--log", log, "--clone", "clone", "--status-key", "status.pub", "-o", "json"]);
        let verdict = serde_json::from_slice(&checked.stdout).unwrap_or_else(|_| panic!("{checked:?}"));
        (checked.status.code().unwrap(), verdict)
    }
}

/// A moment of a day of 2026.
fn time(day: u64) -> Timestamp {
    Timestamp(1_767_225_600_000 + day * 24 * 3_600_000)
}

#[test]
fn a_clone_proves_the_log_and_tells_what_is_wrong_with_it() {
    let mut evidence = Evidence::new();
    for day in [3, 20, 40, 41] {
        evidence.note(day, "token:ops", Decision::Allow);
        evidence.note(day, "192.0.2.1", Decision::Deny);
        // In February history begins anew; January stays beside it.
        evidence.checkpoint(day);
    }
    evidence.note(42, "token:ops", Decision::Allow);
    evidence.git(&["clone", "-q", "-b", "status", "state.git", "clone"]);
    // The line of a month later began a segment; the folder is the log, and its last file only the end of it.
    let text = String::from_utf8(read_log(&evidence.path("data")).unwrap()).unwrap();
    assert_eq!(evidence.verify(&evidence.path("data")).0, 0);
    let end = ["verify", "--log", "data/audit.log", "--clone", "clone", "--status-key", "status.pub"];
    assert_eq!(evidence.audit(&end).status.code(), Some(1), "the beginning is missing");
    let told = evidence.audit(&[&end[..], &["--from", "5", "-o", "table"]].concat());
    let text_told = String::from_utf8_lossy(&told.stdout).into_owned();
    assert_eq!(told.status.code(), Some(0), "{told:?}");
    assert!(text_told.contains("lines 1 to 4 are not here and were not checked"), "{text_told}");
    assert_eq!(evidence.audit(&[&end[..], &["--from", "4"]].concat()).status.code(), Some(2));
    let log = evidence.path("copy.log");
    fs::write(&log, &text).unwrap();
    let (code, verdict) = evidence.verify(&log);
    assert_eq!((code, &verdict["proven"], &verdict["checkpoints"]), (0, &8.into(), &2.into()), "{verdict}");
    evidence.git(&["-C", "clone", "fetch", "-q", "origin", "+refs/muster/status/*:refs/muster/status/*"]);
    let (code, verdict) = evidence.verify(&log);
    assert_eq!((code, &verdict["lines"], &verdict["checkpoints"]), (0, &9.into(), &4.into()), "{verdict}");

    let lines: Vec<&str> = text.lines().collect();
    let (code, verdict) = {
        fs::write(&log, lines[..7].join("\n") + "\n").unwrap();
        evidence.verify(&log)
    };
    assert_eq!((code, &verdict["proven"]), (1, &6.into()), "{verdict}");
    assert!(verdict["faults"][0].as_str().unwrap().starts_with("the end is missing: the log has 7 lines, and had 8"));
    fs::write(&log, text.replacen("192.0.2.1", "192.0.2.2", 1)).unwrap();
    let (code, verdict) = evidence.verify(&log);
    assert_eq!(code, 1);
    assert!(verdict["faults"][0].as_str().unwrap().starts_with("line 3 does not follow line 2"), "{verdict}");
    // Written anew from the start, each line follows; only the checkpoints tell.
    let forged = AuditLog::open(&evidence.path("forged")).unwrap();
    for _ in 0..9 {
        forged.append([AuditEntry::new(time(1), "token:ops", "GET /v1/facts", Decision::Allow, "Allowed")]).unwrap();
    }
    let (code, verdict) = evidence.verify(&evidence.path("forged/audit.log"));
    assert_eq!((code, &verdict["proven"]), (1, &0.into()), "{verdict}");
    assert!(verdict["faults"][0].as_str().unwrap().starts_with("this is another log"), "{verdict}");
    assert_eq!(evidence.audit(&["verify", "--log", "forged/audit.log"]).status.code(), Some(0), "nobody told");
    assert_eq!(evidence.audit(&["verify", "--log", "none"]).status.code(), Some(2));
}

#[test]
fn what_another_key_signed_proves_nothing() {
    let mut evidence = Evidence::new();
    evidence.note(3, "token:ops", Decision::Allow);
    evidence.checkpoint(3);
    evidence.git(&["clone", "-q", "-b", "status", "state.git", "clone"]);
    let log = evidence.path("data/audit.log");
    assert_eq!(evidence.verify(&log).0, 0);
    // Somebody else's commit on top says that the log is longer.
    let file = evidence.path("clone").join(CHECKPOINT_PATH);
    let longer = fs::read_to_string(&file).unwrap().replace("\"lines\":1", "\"lines\":2");
    fs::write(&file, longer).unwrap();
    let who = ["-c", "user.name=x", "-c", "user.email=x@example.com"];
    evidence.git(&[&["-C", "clone"], &who[..], &["commit", "-q", "-a", "-m", "status: Update"]].concat());
    let (code, verdict) = evidence.verify(&log);
    assert_eq!((code, verdict["foreign"].as_array().unwrap().len()), (0, 1), "{verdict}");
    keys::generate_ssh(&evidence.path("other"), "other").unwrap();
    let args = ["verify", "--log", "data/audit.log", "--clone", "clone", "--status-key", "other.pub"];
    assert_eq!(evidence.audit(&args).status.code(), Some(2));
}

#[test]
fn what_was_decided_is_listed_by_who_what_and_when() {
    let evidence = Evidence::new();
    evidence.note(3, "token:ops", Decision::Allow);
    evidence.note(4, "token:web", Decision::Deny);
    evidence.note(5, "192.0.2.1", Decision::Deny);
    let list = |args: &[&str]| {
        let listed = evidence.audit(&[&["ls", "--data", "data", "-o", "json"], args].concat());
        let entries: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
        let who = |entry: &serde_json::Value| entry["who"].as_str().unwrap().to_owned();
        entries.as_array().unwrap().iter().map(who).collect::<Vec<_>>()
    };
    assert_eq!(list(&[]), ["token:ops", "token:web", "192.0.2.1"]);
    assert_eq!(list(&["--decision", "deny", "--who", "token:"]), ["token:web"]);
    assert_eq!(list(&["--since", "2026-01-05T00:00:00Z"]), ["token:web", "192.0.2.1"]);
    assert_eq!(list(&["--since", "1s"]), [""; 0]);
    let table = evidence.audit(&["ls", "--data", "data", "-o", "table"]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.lines().nth(2).unwrap().contains("deny      Forbidden  token:web"), "{table}");
    assert_eq!(evidence.audit(&["ls", "--data", "data", "--since", "soon"]).status.code(), Some(2));
}
