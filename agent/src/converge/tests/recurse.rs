//! Directories with `recurse`: owner, group and modes below, and the way back.

use super::*;
use std::os::unix::fs::{MetadataExt, chown};
use std::process::Command;

/// Kind, mode, owner and path of all below.
fn tree(sandbox: &Sandbox) -> Vec<String> {
    let find =
        Command::new("find").args([".", "-printf", "%y %m %U:%G %p\n"]).current_dir(sandbox.path("srv")).output();
    let mut lines: Vec<String> = String::from_utf8(find.unwrap().stdout).unwrap().lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn owners() -> bool {
    rustix::process::geteuid().is_root()
}

/// A tree with what recursion is to reach, and what not.
fn world() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("etc/passwd", "root:x:0:0::/:/bin/sh\napp:x:7007:7008::/:/bin/sh\n", 0o644);
    sandbox.write("etc/group", "root:x:0:\napp:x:7008:\n", 0o644);
    fs::create_dir_all(sandbox.path("srv/app/sub/deep")).unwrap();
    for (path, mode) in [("app/a", 0o600), ("app/tool", 0o4755), ("app/sub/b", 0o666), ("app/sub/deep/c", 0o644)] {
        sandbox.write(&format!("srv/{path}"), path, mode);
    }
    sandbox.write("srv/outside", "outside", 0o600);
    fs::hard_link(sandbox.path("srv/outside"), sandbox.path("srv/app/second-name")).unwrap();
    symlink("../outside", sandbox.path("srv/app/link")).unwrap();
    sandbox.write("srv/app/ours", "found", 0o640);
    sandbox
}

fn wanted() -> Value {
    json!({
        "directories/srv/app": {"owner": "app", "group": "app", "mode": "0750", "file_mode": "0640", "recurse": true},
        "files/srv/app/ours": {"mode": "0600", "owner": "root"},
    })
}

#[test]
fn all_below_gets_it_heals_and_goes_back() {
    if !owners() {
        return;
    }
    let sandbox = world();
    let found = tree(&sandbox);
    sandbox.converge(&wanted());
    let made = [
        "d 750 7007:7008 ./app",
        "d 750 7007:7008 ./app/sub",
        "d 750 7007:7008 ./app/sub/deep",
        "d 755 0:0 .",
        "f 600 0:0 ./app/ours",
        "f 600 0:0 ./app/second-name",
        "f 600 0:0 ./outside",
        "f 640 7007:7008 ./app/a",
        "f 640 7007:7008 ./app/sub/b",
        "f 640 7007:7008 ./app/sub/deep/c",
        "f 640 7007:7008 ./app/tool",
        "l 777 0:0 ./app/link",
    ];
    assert_eq!(tree(&sandbox), made);
    // Drift, and something new.
    sandbox.write("srv/app/sub/b", "edited", 0o666);
    chown(sandbox.path("srv/app/a"), Some(1), None).unwrap();
    sandbox.write("srv/app/sub/new", "new", 0o600);
    sandbox.converge_for(&wanted(), Cause::Corrective);
    let healed = tree(&sandbox);
    assert!(made.iter().all(|line| healed.contains(&(*line).to_owned())), "{healed:?}");
    assert!(healed.contains(&"f 640 7007:7008 ./app/sub/new".to_owned()), "{healed:?}");
    fs::remove_file(sandbox.path("srv/app/sub/new")).unwrap();
    sandbox.converge(&json!({}));
    assert_eq!(tree(&sandbox), found);
}

#[test]
fn recurse_alone_may_leave_and_depth_and_audit_bound_it() {
    if !owners() {
        return;
    }
    let sandbox = world();
    let found = tree(&sandbox);
    let mut narrow = json!({"directories/srv/app": {"owner": "app", "recurse": true, "max_depth": 1}});
    narrow["directories/srv/app"]["meta"] = json!({"mode": "audit"});
    sandbox.converge(&narrow);
    assert_eq!(tree(&sandbox), found, "an audit");
    narrow["directories/srv/app"]["meta"] = json!({});
    sandbox.converge(&narrow);
    let uid = |path: &str| fs::metadata(sandbox.path(path)).unwrap().uid();
    assert_eq!((uid("srv/app/a"), uid("srv/app/sub"), uid("srv/app/sub/b")), (7007, 7007, 0));
    let tool = fs::metadata(sandbox.path("srv/app/tool")).unwrap();
    assert_eq!((tool.uid(), tool.mode() & 0o7777), (7007, 0o755), "no program runs as its new owner");
    sandbox.converge(&json!({"directories/srv/app": {"owner": "app"}}));
    assert_eq!((uid("srv/app"), uid("srv/app/a")), (7007, 0));
    sandbox.converge(&json!({}));
    assert_eq!(tree(&sandbox), found);
}

#[test]
fn folders_of_the_system_are_refused() {
    let sandbox = world();
    let converged = sandbox.converge(&json!({"directories/etc": {"file_mode": "0600", "recurse": true}}));
    let outcome = converged.outcomes.iter().find(|one| one.address.to_string() == "directories/etc").unwrap();
    assert_eq!(outcome.state, Some(ResourceState::Blocked));
    assert_eq!(sandbox.file("etc/passwd").1, 0o644);
}
