//! Where packages come from, by apt. Whether a package manager reads what is written is tried with the real ones.

use super::{Dice, Family, file, folders, put, refuses, revision, words};
use crate::host::fake::{Node, Tree, What};
use crate::host::{Program, ProgramOutput};
use muster_schema::Collection;
use serde_json::{Value, json};

pub(super) const FAMILY: Family = Family {
    name: "repositories",
    collections: &[Collection::Repositories],
    host,
    manifest,
    programs,
    plain: |tree| tree,
};

const NAMES: [&str; 2] = ["one", "two"];

fn host(dice: &mut Dice) -> Tree {
    let mut tree = folders(&["/", "/usr", "/usr/bin", "/etc", "/etc/apt", "/var", "/var/lib", "/var/lib/dpkg"]);
    put(&mut tree, "/var/lib/dpkg/status", file(""));
    put(&mut tree, "/usr/bin/apt-get", file("program"));
    for (folder, end) in [("sources.list.d", "sources"), ("preferences.d", "pref"), ("keyrings", "asc")] {
        if dice.roll(3) == 0 {
            continue;
        }
        put(&mut tree, &format!("/etc/apt/{folder}"), Node::new(What::Directory, 0o755));
        for name in NAMES {
            if dice.roll(3) == 0 {
                let found = Node { mode: 0o640, gid: 7, ..file("# found\n") };
                put(&mut tree, &format!("/etc/apt/{folder}/{name}.{end}"), found);
            }
        }
    }
    tree
}

fn manifest(dice: &mut Dice) -> Value {
    let mut resources = Vec::new();
    for name in NAMES {
        let suite = dice.one(&["stable", "testing"]);
        let mut repository = json!({"url": "http://example.org/debian", "suites": [suite], "components": ["main"]});
        if dice.roll(2) == 0 {
            repository["trusted"] = true.into();
        } else {
            repository["key_file"] = "/usr/share/keyrings/found.gpg".into();
        }
        if dice.roll(2) == 0 {
            repository["priority"] = 600.into();
        }
        match dice.roll(4) {
            0 => continue,
            1 => repository["meta"] = json!({"state": "absent"}),
            2 => repository["enabled"] = false.into(),
            _ => {}
        }
        resources.push((format!("repositories/{name}"), repository));
    }
    revision(resources)
}

fn programs(_: &mut Tree, program: &Program) -> ProgramOutput {
    match words(program).as_slice() {
        ["apt-get", ..] => ProgramOutput::default(),
        other => refuses(&format!("no program {other:?}")),
    }
}
