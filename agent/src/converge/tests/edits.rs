//! Parts of files that belong to others: what is not ours stays, byte by byte.

use super::*;
use std::collections::BTreeSet;

fn text(sandbox: &Sandbox, path: &str) -> String {
    fs::read_to_string(sandbox.path(path)).unwrap()
}

fn states(converged: &Converged) -> Vec<Option<ResourceState>> {
    converged.outcomes.iter().map(|outcome| outcome.state).collect()
}

#[test]
fn lines_are_replaced_put_in_and_taken_out_again() {
    let sandbox = Sandbox::new();
    let found = "# sshd\n#PermitRootLogin yes\nPort 22\nMatch all\n  X11Forwarding no";
    sandbox.write("etc/sshd_config", found, 0o640);
    let path = "/etc/sshd_config";
    sandbox.converge(&json!({
        "lines/root": {"path": path, "line": "PermitRootLogin no", "match": "*PermitRootLogin *"},
        "lines/port": {"path": path, "meta": {"state": "absent"}, "match": "Port *"},
        "lines/users": {"path": path, "line": "AllowUsers anna", "before": "Match *"},
        "lines/first": {"path": path, "line": "# managed in parts", "position": "start"},
        "lines/last": {"path": path, "line": "  AllowTcpForwarding no"},
    }));
    let changed = "# managed in parts\n# sshd\nPermitRootLogin no\nAllowUsers anna\nMatch all\n  X11Forwarding no\n  AllowTcpForwarding no";
    assert_eq!(sandbox.file("etc/sshd_config"), (changed.to_owned(), 0o640));

    // Drift of our lines heals, what others write stays.
    let drifted = changed.replace("PermitRootLogin no", "PermitRootLogin yes").replace("# sshd\n", "# sshd, mine\n");
    sandbox.write("etc/sshd_config", &drifted, 0o640);
    sandbox.converge_for(
        &json!({
            "lines/root": {"path": path, "line": "PermitRootLogin no", "match": "*PermitRootLogin *"},
        }),
        Cause::Corrective,
    );
    let restored = found.replace("# sshd\n", "# sshd, mine\n").replace("#PermitRootLogin yes", "PermitRootLogin no");
    assert_eq!(text(&sandbox, "etc/sshd_config"), restored.replace("Port 22\n", "") + "\nPort 22");
    sandbox.converge(&json!({}));
    assert!(text(&sandbox, "etc/sshd_config").contains("\n#PermitRootLogin yes\n"));
}

#[test]
fn several_parts_of_a_new_file_are_all_there_and_it_goes_with_the_last() {
    let sandbox = Sandbox::new();
    sandbox.converge(&json!({
        "lines/a": {"path": "/etc/new", "line": "a"},
        "lines/b": {"path": "/etc/new", "line": "b"},
        "blocks/c": {"path": "/etc/new", "text": "c\nd\n"},
    }));
    assert_eq!(sandbox.file("etc/new"), ("a\nb\n# BEGIN muster c\nc\nd\n# END muster c\n".to_owned(), 0o644));
    sandbox.converge(&json!({"lines/b": {"path": "/etc/new", "line": "b"}}));
    assert_eq!(text(&sandbox, "etc/new"), "b\n");
    sandbox.converge(&json!({}));
    assert!(!sandbox.path("etc/new").exists());
}

#[test]
fn what_is_not_clear_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("etc/twice", "a 1\na 2\n# BEGIN muster x\n# BEGIN muster x\n# END muster x\n", 0o644);
    sandbox.write("etc/half", "# END muster x\n", 0o644);
    fs::write(sandbox.path("etc/bytes"), [0xff, b'\n']).unwrap();
    symlink("twice", sandbox.path("etc/link")).unwrap();
    let before = text(&sandbox, "etc/twice");
    let converged = sandbox.converge(&json!({
        "lines/several": {"path": "/etc/twice", "line": "a 3", "match": "a *"},
        "lines/nowhere": {"path": "/etc/twice", "line": "b", "after": "c"},
        "lines/link": {"path": "/etc/link", "line": "b"},
        "lines/bytes": {"path": "/etc/bytes", "line": "b"},
        "blocks/x": {"path": "/etc/twice", "text": "b"},
        "blocks/y": {"path": "/etc/half", "begin": "# BEGIN muster x", "end": "# END muster x", "text": "b"},
        "blocks/own": {"path": "/etc/half", "text": "# END muster own\n"},
    }));
    assert_eq!(states(&converged), [Some(ResourceState::Blocked); 7], "{:?}", converged.outcomes);
    assert_eq!(text(&sandbox, "etc/twice"), before);
    assert_eq!(text(&sandbox, "etc/half"), "# END muster x\n");
}

#[test]
fn a_block_is_owned_between_its_markers_and_a_found_one_comes_back() {
    let sandbox = Sandbox::new();
    let found = "one\r\n; BEGIN x\r\nold\r\n; END x\r\ntwo\r\n";
    sandbox.write("etc/app.ini", found, 0o600);
    let block = |text: &str| json!({"blocks/x": {"path": "/etc/app.ini", "begin": "; BEGIN x", "end": "; END x", "text": text}});
    sandbox.converge(&block("new"));
    assert_eq!(sandbox.file("etc/app.ini"), ("one\r\n; BEGIN x\r\nnew\n; END x\r\ntwo\r\n".to_owned(), 0o600));
    sandbox.converge(&block(""));
    assert_eq!(text(&sandbox, "etc/app.ini"), "one\r\n; BEGIN x\r\n; END x\r\ntwo\r\n");
    sandbox.converge(&json!({}));
    assert_eq!(text(&sandbox, "etc/app.ini"), found);
}

#[test]
fn what_is_about_something_else_goes_back_first() {
    let sandbox = Sandbox::new();
    sandbox.write("etc/a", "x\n", 0o644);
    sandbox.write("etc/b", "y\n", 0o644);
    sandbox.converge(&json!({"lines/one": {"path": "/etc/a", "line": "ours"}}));
    assert_eq!((text(&sandbox, "etc/a"), text(&sandbox, "etc/b")), ("x\nours\n".into(), "y\n".into()));
    sandbox.converge(&json!({"lines/one": {"path": "/etc/b", "line": "ours"}}));
    assert_eq!((text(&sandbox, "etc/a"), text(&sandbox, "etc/b")), ("x\n".into(), "y\nours\n".into()));
    sandbox.converge(&json!({"lines/one": {"path": "/etc/b", "line": "other"}}));
    assert_eq!(text(&sandbox, "etc/b"), "y\nother\n");
    sandbox.converge(&json!({}));
    assert_eq!((text(&sandbox, "etc/a"), text(&sandbox, "etc/b")), ("x\n".into(), "y\n".into()));
}

#[test]
fn an_audit_of_parts_writes_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write("etc/a", "x\n", 0o644);
    let converged = sandbox.converge(&json!({
        "lines/one": {"path": "/etc/a", "line": "ours", "meta": {"mode": "audit"}},
        "blocks/two": {"path": "/etc/missing", "text": "ours", "meta": {"mode": "audit"}},
    }));
    assert_eq!(states(&converged), [Some(ResourceState::NonCompliant); 2]);
    assert_eq!(text(&sandbox, "etc/a"), "x\n");
    assert!(!sandbox.path("etc/missing").exists());
}

#[test]
fn settings_are_compared_by_meaning_and_go_back() {
    let sandbox = Sandbox::new();
    let found = "{\n  \"log\": \"json-file\",\n  \"debug\": true\n}\n";
    sandbox.write("etc/daemon.json", found, 0o600);
    sandbox.write("etc/broken.json", "{", 0o600);
    let resources = json!({
        "settings_files/log": {"path": "/etc/daemon.json", "key": "log", "value": "journald"},
        "settings_files/bip": {"path": "/etc/daemon.json", "key": ["opts", "a.b"], "value": {"n": 1}},
        "settings_files/debug": {"path": "/etc/daemon.json", "key": "debug", "value": true},
        "settings_files/new": {"path": "/etc/new.conf", "format": "ini", "key": "Journal.Max", "value": 5},
        "settings_files/broken": {"path": "/etc/broken.json", "key": "a", "value": 1},
    });
    let converged = sandbox.converge(&resources);
    let broken = converged.outcomes.iter().find(|outcome| outcome.address.id() == "broken").unwrap();
    assert_eq!(broken.state, Some(ResourceState::Blocked), "{broken:?}");
    let now: Value = serde_json::from_str(&text(&sandbox, "etc/daemon.json")).unwrap();
    assert_eq!(now, json!({"log": "journald", "debug": true, "opts": {"a.b": {"n": 1}}}));
    assert_eq!(text(&sandbox, "etc/new.conf"), "[Journal]\nMax = 5\n");
    assert_eq!(text(&sandbox, "etc/broken.json"), "{");
    sandbox.converge(&json!({}));
    assert_eq!(sandbox.file("etc/daemon.json"), (found.to_owned(), 0o600));
    assert!(!sandbox.path("etc/new.conf").exists());
}

#[test]
fn drift_that_healing_finds_elsewhere_is_drift_too() {
    let sandbox = Sandbox::new();
    let wanted = json!({
        "lines/a": {"path": "/etc/a.conf", "line": "a"},
        "files/etc/b": {"text": "right"},
    });
    sandbox.converge(&wanted);
    sandbox.write("etc/a.conf", "mine\n", 0o644);
    sandbox.write("etc/b", "wrong", 0o644);
    let mut converger = sandbox.open(Vec::new());
    converger.set_resources(load(&converger.managed.blobs, &wanted)).unwrap();
    let told: BTreeSet<Address> = ["lines/a".parse().unwrap()].into();
    let converged = converger.converge(Cause::Corrective, Extent::Only(&told), &|| false, now).unwrap();
    assert_eq!(sandbox.file("etc/b").0, "right");
    let changed = converged.outcomes.iter().filter(|outcome| outcome.changed);
    let causes: Vec<_> = changed.map(|outcome| (outcome.address.to_string(), outcome.cause)).collect();
    let both = [("lines/a".to_owned(), Cause::Corrective), ("files/etc/b".to_owned(), Cause::Corrective)];
    assert_eq!(causes, both);
}
