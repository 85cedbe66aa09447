//! Purged directories: what nobody manages goes, what was there first comes back.

use super::*;
use std::process::Command;

fn tree(sandbox: &Sandbox) -> Vec<String> {
    let root = sandbox.path("etc/conf.d");
    let listed = Command::new("find").args([".", "-mindepth", "1"]).current_dir(root).output().unwrap();
    let mut names: Vec<String> =
        String::from_utf8(listed.stdout).unwrap().lines().map(|name| name[2..].to_owned()).collect();
    names.sort();
    names
}

fn purged() -> Value {
    json!({
        "directories/etc/conf.d": {"purge": true, "purge_ignore": ["*.local"]},
        "files/etc/conf.d/ours": {"text": "ours"},
        "files/etc/conf.d/sub/deep/ours": {"text": "ours"},
        "lines/part": {"path": "/etc/conf.d/edited", "line": "ours"},
    })
}

#[test]
fn what_nobody_manages_goes_and_comes_back() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path("etc/conf.d/sub/deep")).unwrap();
    fs::create_dir_all(sandbox.path("etc/conf.d/theirs/inner")).unwrap();
    fs::create_dir_all(sandbox.path("etc/conf.d/kept")).unwrap();
    for (path, mode) in
        [("a", 0o600), ("b.local", 0o644), ("sub/c", 0o640), ("theirs/inner/d", 0o644), ("kept/e.local", 0o644)]
    {
        sandbox.write(&format!("etc/conf.d/{path}"), path, mode);
    }
    symlink("/etc/passwd", sandbox.path("etc/conf.d/link")).unwrap();
    let found = tree(&sandbox);
    sandbox.converge(&purged());
    let left = ["b.local", "edited", "kept", "kept/e.local", "ours", "sub", "sub/deep", "sub/deep/ours"];
    assert_eq!(tree(&sandbox), left);

    // What appears later is drift, and is not kept.
    sandbox.write("etc/conf.d/later", "x", 0o644);
    sandbox.converge_for(&purged(), Cause::Corrective);
    assert_eq!(tree(&sandbox), left);

    sandbox.converge(&json!({}));
    assert_eq!(tree(&sandbox), found);
    assert_eq!(sandbox.file("etc/conf.d/a"), ("a".to_owned(), 0o600));
    assert_eq!(sandbox.file("etc/conf.d/sub/c"), ("sub/c".to_owned(), 0o640));
    assert_eq!(fs::read_link(sandbox.path("etc/conf.d/link")).unwrap(), Path::new("/etc/passwd"));
}

#[test]
fn an_audit_purges_nothing_and_too_much_is_blocked() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path("etc/conf.d")).unwrap();
    sandbox.write("etc/conf.d/a", "a", 0o644);
    sandbox.converge(&json!({"directories/etc/conf.d": {"purge": true, "meta": {"mode": "audit"}}}));
    assert_eq!(tree(&sandbox), ["a"]);
    for number in 0..100 {
        sandbox.write(&format!("etc/conf.d/{number:03}"), "x", 0o644);
    }
    let converged = sandbox.converge(&json!({"directories/etc/conf.d": {"purge": true}}));
    assert_eq!(converged.outcomes[0].state, Some(ResourceState::Blocked));
    assert_eq!(tree(&sandbox).len(), 101);
}

#[test]
fn a_mount_below_is_never_crossed() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path("etc/conf.d/mounted")).unwrap();
    fs::create_dir_all(sandbox.path("data")).unwrap();
    sandbox.write("data/precious", "x", 0o644);
    let target = sandbox.path("etc/conf.d/mounted");
    let mounted = Command::new("mount").arg("--bind").arg(sandbox.path("data")).arg(&target).output().unwrap();
    if !mounted.status.success() {
        eprintln!("SKIPPED: cannot mount");
        return;
    }
    sandbox.write("etc/conf.d/a", "a", 0o644);
    let purged = std::panic::catch_unwind(|| sandbox.converge(&json!({"directories/etc/conf.d": {"purge": true}})));
    let left = tree(&sandbox);
    assert!(Command::new("umount").arg(&target).status().unwrap().success());
    purged.unwrap();
    assert_eq!(left, ["mounted", "mounted/precious"]);
}
