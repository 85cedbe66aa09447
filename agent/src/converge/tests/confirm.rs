//! Risky changes stand when the orchestrator is reached after them, wherever the process ends.

mod attack;

use super::load;
use super::properties::{now, open};
use crate::apply::ManagedHost;
use crate::converge::{Converger, Extent};
use crate::host::fake::{FakeHost, Node, Tree, What};
use crate::plan::{ContactRule, describe_changes};
use crate::test_crash::crash_at;
use muster_schema::Sha256Digest;
use muster_schema::resource::Enforcement;
use muster_schema::state::{Cause, ResourceState};
use serde_json::{Value, json};
use std::path::Path;

const SSHD: &str = "/etc/ssh/sshd_config";
const MADE: &str = "/etc/network/interfaces";

fn found() -> Tree {
    let mut tree = Tree::new();
    for folder in ["/", "/etc", "/etc/ssh", "/etc/network"] {
        tree.insert(folder.to_owned(), Node::new(What::Directory, 0o755));
    }
    tree.insert(SSHD.to_owned(), Node::new(What::File("found".into()), 0o600));
    tree.insert("/etc/sudoers".to_owned(), Node::new(What::File("left alone".into()), 0o440));
    tree
}

fn first() -> Value {
    json!({
        "files/etc/ssh/sshd_config": {"text": "one", "mode": "0640"},
        "files/etc/sudoers": {"mode": "0440"},
        "commands/react": {"meta": {"run_on": ["files/etc/ssh/sshd_config"]}, "argv": ["react"]},
    })
}

/// The mode of one is let go, another is made, one leaves.
fn second() -> Value {
    json!({
        "files/etc/ssh/sshd_config": {"text": "two"},
        "files/etc/network/interfaces": {"text": "auto"},
        "files/etc/motd": {"text": "no risk"},
        "commands/react": {"meta": {"run_on": ["files/etc/ssh/sshd_config"]}, "argv": ["react"]},
    })
}

fn content(manifest: &Value) -> Sha256Digest {
    Sha256Digest::of(manifest.to_string().as_bytes())
}

/// A process that was started under this manifest, before it does anything.
fn begin(dir: &Path, host: &FakeHost, manifest: &Value) -> Converger {
    let managed = open(dir, host);
    let resources = load(&managed.blobs, manifest);
    let mut converger = Converger::begin(managed, resources, Enforcement::Enforce, now()).unwrap();
    converger.go_on_under(content(manifest)).unwrap();
    converger
}

fn sweep(converger: &mut Converger, cause: Cause) {
    converger.converge(cause, Extent::All, &|| false, now).unwrap();
    converger.forget_contents(&Default::default()).unwrap();
}

fn reach(converger: &mut Converger) {
    if let Some(number) = converger.managed().risk.armed().map(|armed| armed.number) {
        assert!(!converger.confirm_armed(number - 1).unwrap(), "an earlier contact proves nothing");
        assert!(converger.confirm_armed(number).unwrap());
    }
}

fn follow_and_reach(dir: &Path, host: &FakeHost, manifest: &Value) {
    let mut converger = begin(dir, host, manifest);
    sweep(&mut converger, Cause::Intentional);
    reach(&mut converger);
}

/// What a process does that does not reach the orchestrator: first it takes back what is armed, then it goes on.
fn follow_in_vain(dir: &Path, host: &FakeHost, manifest: &Value) -> Converger {
    let mut converger = begin(dir, host, manifest);
    for _ in 0..2 {
        converger.revert_armed(Some(content(manifest)), now).unwrap();
        sweep(&mut converger, Cause::Intentional);
    }
    converger.revert_armed(Some(content(manifest)), now).unwrap();
    converger
}

/// What a plan calls risky.
fn called_risky(converger: &Converger) -> Vec<String> {
    let ManagedHost { host, ledger, risk, .. } = converger.managed();
    let contact = ContactRule { within: risk.within, scope: host.scope(), ledger: ledger.entries() };
    let plan = converger.plan(Extent::All);
    let lines = describe_changes(converger.schedule(), &plan, contact);
    let risky = "(risky: taken back unless the orchestrator is reached within 120 s)";
    lines.filter(|(_, what)| what.ends_with(risky)).map(|(address, _)| address.to_string()).collect()
}

fn text(tree: &Tree, path: &str) -> Option<String> {
    match &tree.get(path)?.what {
        What::File(content) => Some(String::from_utf8(content.clone()).unwrap()),
        _ => None,
    }
}

#[test]
fn what_was_proven_once_is_put_right_without_the_orchestrator() {
    let (dir, host) = (tempfile::tempdir().unwrap(), FakeHost::new(found()));
    let mut converger = begin(dir.path(), &host, &first());
    assert_eq!(called_risky(&converger), ["files/etc/ssh/sshd_config"]);
    sweep(&mut converger, Cause::Intentional);
    assert!(converger.managed().risk.armed().is_some());
    reach(&mut converger);

    host.set(SSHD, Node::new(What::File("drift".into()), 0o600));
    host.set("/etc/sudoers", Node::new(What::File("left alone".into()), 0o444));
    assert_eq!(called_risky(&converger), [""; 0]);
    sweep(&mut converger, Cause::Corrective);
    assert!(converger.managed().risk.armed().is_none(), "it healed what it had found or made");
    assert_eq!(text(&host.tree(), SSHD).as_deref(), Some("one"));
    assert_eq!(host.tree()["/etc/sudoers"].mode, 0o440);
}

#[test]
fn what_is_said_to_be_no_risk_stands() {
    let (dir, host) = (tempfile::tempdir().unwrap(), FakeHost::new(found()));
    let manifest = json!({
        "files/etc/ssh/sshd_config": {"text": "one", "meta": {"risky": false}},
        "files/etc/motd": {"text": "one", "meta": {"risky": true}},
    });
    let mut converger = follow_in_vain(dir.path(), &host, &manifest);
    assert_eq!(text(&host.tree(), SSHD).as_deref(), Some("one"));
    assert_eq!(text(&host.tree(), "/etc/motd"), None);

    // Off as a whole.
    converger.managed.risk.within = None;
    converger.go_on_under(content(&first())).unwrap();
    sweep(&mut converger, Cause::Intentional);
    assert!(converger.managed().risk.armed().is_none());
    assert_eq!(text(&host.tree(), "/etc/motd").as_deref(), Some("one"));
}
