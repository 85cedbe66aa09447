//! Files that are made whole from a name: entries of cron, rules of sudo; and the lines of the hosts file.

use super::{Dice, Family, file, folders, put, refuses, revision, sort_lines, words};
use crate::host::fake::{Node, Tree, What};
use crate::host::{Program, ProgramOutput};
use muster_schema::Collection;
use serde_json::{Value, json};

const HOSTS: &str = "/etc/hosts";

pub(super) const FAMILY: Family = Family {
    name: "names",
    collections: &[Collection::Cron, Collection::SudoRules, Collection::Hosts],
    host,
    manifest,
    programs,
    plain: |tree| sort_lines(tree, &[HOSTS]),
};

fn host(dice: &mut Dice) -> Tree {
    let mut tree = folders(&["/", "/etc", "/etc/cron.d", "/etc/sudoers.d"]);
    put(&mut tree, "/etc/passwd", file("root:x:0:0::/root:/bin/sh\nanna:x:7:7::/home/anna:/bin/sh\n"));
    put(&mut tree, "/etc/group", file("root:x:0:\nanna:x:7:\n"));
    for path in ["/etc/cron.d/a", "/etc/cron.d/b", "/etc/sudoers.d/a"] {
        match dice.roll(4) {
            0 => put(&mut tree, path, Node { mode: 0o600, uid: 7, ..file("found\n") }),
            1 => put(&mut tree, path, Node::new(What::Link("elsewhere".to_owned()), 0o777)),
            _ => {}
        }
    }
    if dice.roll(4) != 0 {
        let mut text = String::from("# static\n127.0.0.1\tlocalhost\n");
        for line in ["192.0.2.1\tdb\n", "192.0.2.2\tdb\n", "192.0.2.3\tweb\n"] {
            if dice.roll(2) == 0 {
                text.push_str(line);
            }
        }
        put(&mut tree, HOSTS, file(text));
    }
    tree
}

fn manifest(dice: &mut Dice) -> Value {
    let absent = || json!({"meta": {"state": "absent"}});
    let mut resources = Vec::new();
    for name in ["a", "b", "a.b"] {
        let cron = match dice.roll(4) {
            0 => continue,
            1 => absent(),
            _ => json!({"schedule": dice.one(&["@daily", "5 4 * * *"]), "command": ["/bin/true", "50 %"],
                "user": dice.one(&["root", "anna"])}),
        };
        resources.push((format!("cron/{name}"), cron));
    }
    for name in ["a", "c"] {
        let rule = match dice.roll(4) {
            0 => continue,
            1 => absent(),
            _ => json!({"users": ["anna"], "commands": [dice.one(&["/bin/true", "ALL"])]}),
        };
        resources.push((format!("sudo_rules/{name}"), rule));
    }
    for name in ["db", "web"] {
        let entry = match dice.roll(4) {
            0 => continue,
            1 => absent(),
            2 => json!({"addresses": ["192.0.2.9"], "aliases": [dice.one(&["x", "y"])]}),
            _ => json!({"addresses": ["192.0.2.1", "2001:db8::1"]}),
        };
        resources.push((format!("hosts/{name}"), entry));
    }
    revision(resources)
}

fn programs(_: &mut Tree, program: &Program) -> ProgramOutput {
    match words(program).as_slice() {
        ["visudo", "-c", "-f", _] => ProgramOutput::default(),
        other => refuses(&format!("no program {other:?}")),
    }
}
