#![allow(clippy::disallowed_methods)]

use super::look;
use crate::cli::state::lock;
use crate::plan::{ContactRule, describe_changes};
use crate::test_orchestrator::TestOrchestrator;
use muster_schema::Sha256Digest;
use muster_schema::resource::Enforcement;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Every file and folder below, with its content and when it was changed.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, (SystemTime, Option<Vec<u8>>)> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let changed = fs::metadata(&path).unwrap().modified().unwrap();
        all.insert(path.clone(), (changed, fs::read(&path).ok()));
        if path.is_dir() {
            all.extend(snapshot(&path));
        }
    }
    all
}

fn told(state: &Path, root: &Path) -> Vec<String> {
    let looked = look(state, root, Enforcement::Enforce, super::state::extensions(state.join("plugins"))).unwrap();
    let contact = ContactRule { within: Some(Duration::from_secs(120)), scope: looked.scope, ledger: &looked.ledger };
    let lines = describe_changes(&looked.schedule, &looked.plan, contact);
    lines.map(|(address, what)| format!("{address}: {what}")).collect()
}

#[test]
fn a_look_beside_the_daemon_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (state, root) = (dir.path().join("state"), dir.path().join("root"));
    fs::create_dir_all(root.join("etc")).unwrap();
    let _daemon = lock(&state).unwrap();
    let orchestrator = TestOrchestrator::new(crate::test_orchestrator::TestKey::new().public());
    let content = orchestrator.blob("right\n");
    let manifest = orchestrator.manifest(1, &json!({"files/etc/motd": {"content": content}}));
    let bytes = serde_json::to_vec(&manifest).unwrap();
    let digest = Sha256Digest::of(&bytes);
    fs::create_dir(state.join("blobs")).unwrap();
    fs::write(state.join("blobs").join(digest.to_string()), &bytes).unwrap();
    // The daemon is about to keep this one.
    fs::write(state.join("blobs/0.new"), "half").unwrap();
    let mut status: Value = json!({
        "pid": 7, "version": "1.0.0", "id": "web-1", "name": "web-1", "key": "0123-4567",
        "applied": {"manifest": digest, "content": digest, "epoch": 1, "serial": 1, "revision": "0".repeat(40)},
        "health": "Healthy", "reason": "Converged", "message": "", "counts": {},
        "retired": false, "sweeps": 0, "sweep_cpu_us": 0, "written": 0,
    });
    fs::write(state.join("status.json"), status.to_string()).unwrap();

    let before = snapshot(dir.path());
    assert_eq!(told(&state, &root), ["files/etc/motd: create"]);
    assert_eq!(snapshot(dir.path()), before);
    fs::write(root.join("etc/motd"), "wrong\n").unwrap();
    assert_eq!(told(&state, &root).len(), 1);
    fs::write(root.join("etc/motd"), "right\n").unwrap();
    assert_eq!(told(&state, &root), [""; 0]);

    fs::remove_file(root.join("etc/motd")).unwrap();
    status["held"] = json!({"files/etc/motd": "reverted: nobody was reached"});
    fs::write(state.join("status.json"), status.to_string()).unwrap();
    assert_eq!(
        told(&state, &root),
        ["files/etc/motd: not tried again under this manifest: reverted: nobody was reached"]
    );

    status["retired"] = json!(true);
    fs::write(state.join("status.json"), status.to_string()).unwrap();
    assert_eq!(told(&state, &root), [""; 0], "a host that has left is left alone");
}
