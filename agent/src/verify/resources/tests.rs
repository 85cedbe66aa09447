use super::check_resources;
use crate::resource::test_converger::load;
use serde_json::json;

fn refusal(resources: &serde_json::Value) -> String {
    check_resources(&load(resources)).expect_err("refused").to_string()
}

#[test]
fn one_path_belongs_to_one_resource() {
    let unit = json!({"sha256": "0".repeat(64), "size": 0});
    let both = json!({
        "files/etc/systemd/system/x.service": {"mode": "0644"},
        "units/x.service": {"content": unit},
    });
    let refused = refusal(&both);
    assert!(refused.contains("units/x.service and files/etc/systemd/system/x.service are the same path"), "{refused}");
    let below = json!({
        "files/etc/systemd/system/x.service.d": {"mode": "0644"},
        "units/x.service.d/limits.conf": {"content": unit},
    });
    let refused = refusal(&below);
    assert!(refused.contains("lies in files/etc/systemd/system/x.service.d, which is no folder"), "{refused}");
    let apart = json!({"directories/etc/systemd/system": {"mode": "0755"}, "units/x.service": {"content": unit}});
    assert!(check_resources(&load(&apart)).is_ok());
}

#[test]
fn one_thing_has_one_name() {
    let refused = refusal(&json!({"hosts/Db": {"addresses": ["::1"]}, "hosts/db": {"addresses": ["::2"]}}));
    assert!(refused.contains("hosts/db and hosts/Db are the same"), "{refused}");
    refusal(&json!({"services/a": {"running": true}, "services/a.service": {"enabled": true}}));
    assert!(check_resources(&load(&json!({"services/a": {"running": true}, "services/a.timer": {}}))).is_ok());
}

#[test]
fn a_file_that_is_managed_as_a_whole_is_edited_by_nobody() {
    let line = |path: &str| json!({"path": path, "line": "x"});
    let apart = json!({"files/etc/a": {"mode": "0644"}, "lines/x": line("/etc/b"), "lines/y": line("/etc/b")});
    assert!(check_resources(&load(&apart)).is_ok());
    let refused = refusal(&json!({"files/etc/a": {"mode": "0644"}, "lines/x": line("/etc/a")}));
    assert!(refused.contains("lines/x edits files/etc/a"), "{refused}");
    refusal(&json!({"lines/x": line("/etc/../etc/a")}));
    refusal(&json!({"lines/x": line("/proc/sys/kernel/hostname")}));
}
