//! What systemd has: units, timers and services, on a copy of this machine where systemd runs.

use super::Dice;
use crate::provider::apt::test_archive::machine;
use crate::resource::test_converger::{converge, differences, load, open};
use crate::resource::{State, View, observe};
use crate::test_machine::enter_booted;
use muster_schema::Collection;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Types that are tried here.
pub(super) const COLLECTIONS: [Collection; 3] = [Collection::Services, Collection::Timers, Collection::Units];

const UNITS: &str = "/etc/systemd/system";
const FOUND: [&str; 2] = ["law-a", "law-b"];
const NEW: &str = "law-new";
const TEXT: &str = "[Service]\nExecStart=sleep infinity\n[Install]\nWantedBy=multi-user.target\n";
const SEEDS: u64 = 6;

fn systemctl(arguments: &[&str]) -> String {
    let output = Command::new("systemctl").args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn path_of(name: &str) -> String {
    format!("{UNITS}/{name}.service")
}

fn content(text: &str) -> Value {
    json!(open().managed().blobs.keep_bytes(text.as_bytes()).unwrap())
}

/// Units that somebody has made, each in a state of its own.
fn make_host(dice: &mut Dice) {
    for name in FOUND.into_iter().chain([NEW]) {
        systemctl(&["disable", "--now", name]);
        drop(fs::remove_file(path_of(name)));
    }
    for name in FOUND {
        fs::write(path_of(name), TEXT).unwrap();
    }
    systemctl(&["daemon-reload"]);
    for name in FOUND {
        if dice.roll(2) == 0 {
            systemctl(&["enable", name]);
        }
        if dice.roll(2) == 0 {
            systemctl(&["start", name]);
        }
    }
}

fn manifest(dice: &mut Dice) -> Value {
    let mut resources = Map::new();
    let mut add = |address: String, attributes: Value| drop(resources.insert(address, attributes));
    for name in FOUND {
        let service = match dice.roll(5) {
            0 => continue,
            1 => json!({"meta": {"state": "absent"}}),
            2 => json!({"enabled": dice.roll(2) == 0}),
            _ => json!({"running": dice.roll(2) == 0, "enabled": dice.roll(2) == 0}),
        };
        add(format!("services/{name}"), service);
    }
    if dice.roll(3) != 0 {
        let text = format!("{TEXT}# {}\n", dice.one(&["one", "two"]));
        add(format!("units/{NEW}.service"), json!({"content": content(&text), "on_change": "restart"}));
        if dice.roll(2) == 0 {
            let meta = json!({"requires": [format!("units/{NEW}.service")]});
            add(format!("services/{NEW}.service"), json!({"running": true, "enabled": true, "meta": meta}));
        }
    }
    if dice.roll(3) == 0 {
        add(format!("units/{}.service", FOUND[0]), json!({"content": content(&format!("# ours\n{TEXT}"))}));
    }
    if dice.roll(3) != 0 {
        let calendar = dice.one(&["daily", "weekly"]);
        add("timers/law".to_owned(), json!({"calendar": calendar, "command": ["true"]}));
    }
    Value::Object(resources)
}

/// What lies in the folder of units, and how the units are.
fn snapshot() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![Path::new(UNITS).to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            let what = if kind.is_dir() {
                // systemd makes folders for links, and leaves them.
                open.push(path);
                continue;
            } else if kind.is_symlink() {
                format!("-> {}", fs::read_link(&path).unwrap().display())
            } else {
                fs::read_to_string(&path).unwrap()
            };
            found.insert(path.display().to_string(), what);
        }
    }
    for name in FOUND.into_iter().chain([NEW, "muster-law.timer"]) {
        found.insert(format!("{name} is"), systemctl(&["is-active", name]));
        found.insert(format!("{name} will be"), systemctl(&["is-enabled", name]));
    }
    found
}

fn observe_all(revisions: [&Value; 2]) -> Vec<(String, Result<State, String>)> {
    let host = machine();
    let view = View::new(&host);
    let resources = revisions.into_iter().flat_map(load);
    let look = |resource: muster_schema::resource::Resource| {
        (resource.address.to_string(), observe(&resource, &view).map_err(|error| error.chain()))
    };
    resources.map(look).collect()
}

/// Applies the revisions one after the other, and then nothing: the host is as it was.
pub(super) fn goes_back<S: PartialEq + Debug>(told: &str, revisions: [&Value; 2], host: impl Fn() -> S) {
    let found = host();
    differences(revisions[0]);
    assert_eq!(host(), found, "a look changes nothing: {told}");
    for revision in revisions {
        let outcomes = converge(revision);
        assert_eq!(differences(revision), Vec::<String>::new(), "{told} {outcomes:#?}");
    }
    let outcomes = converge(&json!({}));
    assert_eq!(host(), found, "{told} {outcomes:#?}");
    assert!(open().managed().ledger.entries().is_empty(), "{told}");
}

#[test]
fn what_systemd_has_is_as_it_was_found() {
    if !enter_booted("converge::tests::reversible::booted::what_systemd_has_is_as_it_was_found") {
        return;
    }
    for seed in 1..=SEEDS {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        make_host(&mut dice);
        let (first, second) = (manifest(&mut dice), manifest(&mut dice));
        let told = format!("seed {seed}: {first:#} {second:#}");
        goes_back(&told, [&first, &second], || (snapshot(), observe_all([&first, &second])));
    }
}
