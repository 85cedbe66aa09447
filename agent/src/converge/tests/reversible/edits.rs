//! Parts of files that belong to others.

use super::{Dice, Family, file, folders, put, revision, sort_lines};
use crate::host::ProgramOutput;
use crate::host::fake::{Node, Tree, What};
use muster_schema::Collection;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const TEXTS: [&str; 2] = ["/etc/a.conf", "/etc/b.conf"];
const SETTINGS: &str = "/etc/c.json";
const KEYS: [&str; 3] = ["k0", "k1", "k2"];
const BLOCKS: [&str; 2] = ["x", "y"];

pub(super) const FAMILY: Family = Family {
    name: "edits",
    collections: &[Collection::Lines, Collection::Blocks, Collection::SettingsFiles],
    host,
    manifest,
    programs: |_, _| ProgramOutput::default(),
    plain,
};

fn host(dice: &mut Dice) -> Tree {
    let mut tree = folders(&["/", "/etc"]);
    for path in TEXTS {
        if dice.roll(4) == 0 {
            continue;
        }
        let mut text = String::from("# theirs\n");
        for key in KEYS {
            if dice.roll(2) == 0 {
                text.push_str(&format!("{key} = {}\n", dice.one(&["found", "one"])));
            }
        }
        for name in BLOCKS {
            if dice.roll(3) == 0 {
                text.push_str(&format!("# BEGIN muster {name}\nfound\n# END muster {name}\n"));
            }
        }
        let mode = [0o600, 0o644][dice.roll(2) as usize];
        put(&mut tree, path, Node { mode, uid: 7, ..file(text) });
    }
    if dice.roll(3) != 0 {
        put(&mut tree, SETTINGS, file(dice.one(&["{}\n", "{\n  \"k0\": 1,\n  \"in\": {\"k1\": true}\n}\n"])));
    }
    tree
}

fn manifest(dice: &mut Dice) -> Value {
    let mut resources = Vec::new();
    for key in KEYS {
        let path = dice.one(&TEXTS);
        let matching = format!("{key} = *");
        let line = match dice.roll(4) {
            0 => continue,
            1 => json!({"path": path, "match": matching, "meta": {"state": "absent"}}),
            _ => json!({"path": path, "match": matching, "line": format!("{key} = {}", dice.one(&["one", "two"]))}),
        };
        resources.push((format!("lines/{key}"), line));
    }
    for name in BLOCKS {
        let path = dice.one(&TEXTS);
        let block = match dice.roll(4) {
            0 => continue,
            1 => json!({"path": path, "meta": {"state": "absent"}}),
            _ => json!({"path": path, "text": dice.one(&["one\n", "two\ntwo\n", ""])}),
        };
        resources.push((format!("blocks/{name}"), block));
    }
    for key in [json!("k0"), json!(["in", "k1"]), json!(["new", "k2"])] {
        let setting = match dice.roll(4) {
            0 => continue,
            1 => json!({"path": SETTINGS, "key": key, "meta": {"state": "absent"}}),
            _ => json!({"path": SETTINGS, "key": key, "value": dice.roll(2)}),
        };
        let name = format!("settings_files/{}", key.to_string().replace(['"', '[', ']'], ""));
        resources.push((name, setting));
    }
    revision(resources)
}

/// A line that comes back has no place of its own, and a setting is what it means.
fn plain(tree: Tree) -> Tree {
    let mut tree = sort_lines(tree, &TEXTS);
    if let Some(Node { what: What::File(content), .. }) = tree.get_mut(SETTINGS) {
        let value: Value = serde_json::from_slice(content).unwrap();
        *content = sorted(&value).into_bytes();
    }
    tree
}

/// A document with its keys in order.
fn sorted(value: &Value) -> String {
    match value {
        Value::Object(entries) => {
            let entries: BTreeMap<&String, String> = entries.iter().map(|(key, value)| (key, sorted(value))).collect();
            format!("{entries:?}")
        }
        other => other.to_string(),
    }
}
