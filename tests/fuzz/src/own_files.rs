//! What the two programs keep for themselves. A damaged disk is outside too.

use std::path::PathBuf;
use std::sync::LazyLock;

use muster_agent::accepted::Accepted;
use muster_agent::apply::Intent;
use muster_agent::config::Settings;
use muster_agent::known::KnownState;
use muster_agent::ledger::Ledger;
use muster_reconciler::io::inbox::Inbox;
use muster_reconciler::io::signer::FileSigner;
use muster_schema::report::{Rejection, Transition};
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| TempDir::new_in(folder()).unwrap());

/// Memory, where there is such a folder: these targets sync what they write.
fn folder() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { std::env::temp_dir() }
}

fn file_with(bytes: &[u8]) -> PathBuf {
    let path = FOLDER.path().join("file");
    std::fs::write(&path, bytes).unwrap();
    path
}

pub(crate) fn agent_settings(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(settings) = Settings::load(&text, "agent.yaml") {
        let _ = settings.check();
    }
}

pub(crate) fn inbox(bytes: &[u8]) {
    let path = file_with(bytes);
    let (mut inbox, frames) = Inbox::open(&path).unwrap();
    inbox.append([b"next".as_slice()]).unwrap();
    drop(inbox);
    let (_, again) = Inbox::open(&path).unwrap();
    assert_eq!(again.len(), frames.len() + 1, "what is added after damage is found again");
    assert_eq!(again.last().unwrap(), b"next");
}

pub(crate) fn ledger(bytes: &[u8]) {
    let path = file_with(bytes);
    let ledger = Ledger::open(&path).unwrap();
    let entries = ledger.entries().clone();
    for entry in entries.values() {
        let _ = entry.way_back();
    }
    drop(ledger);
    assert_eq!(*Ledger::open(&path).unwrap().entries(), entries);
}

/// What the store holds, each kind of record.
pub(crate) fn records(bytes: &[u8]) {
    let _ = serde_json::from_slice::<Vec<Intent>>(bytes);
    let _ = serde_json::from_slice::<KnownState>(bytes);
    let _ = serde_json::from_slice::<Accepted>(bytes);
    let _ = serde_json::from_slice::<Transition>(bytes);
    let _ = serde_json::from_slice::<Rejection>(bytes);
}

pub(crate) fn signing_key(bytes: &[u8]) {
    let _ = FileSigner::load(&file_with(bytes), None);
}
