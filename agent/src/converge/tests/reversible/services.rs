//! Services that scripts start: OpenRC, or System V init. With systemd they are tried on a copy of this machine.

use super::{Dice, Family, file, folders, put, refuses, revision, words};
use crate::host::fake::{Node, Tree, What};
use crate::host::{Program, ProgramOutput};
use muster_schema::Collection;
use serde_json::{Value, json};

const NAMES: [&str; 3] = ["cron", "db", "web"];
const OPENRC: &str = "/run/openrc";
const LEVELS: [&str; 4] = ["2", "3", "4", "5"];

pub(super) const FAMILY: Family =
    Family { name: "services", collections: &[Collection::Services], host, manifest, programs, plain };

fn host(dice: &mut Dice) -> Tree {
    let mut tree = folders(&["/", "/etc", "/etc/init.d", "/run", "/usr", "/usr/sbin"]);
    for name in NAMES {
        put(
            &mut tree,
            &format!("/etc/init.d/{name}"),
            Node { mode: 0o755, ..file("#!/sbin/openrc-run\nstart stop status") },
        );
    }
    let openrc = dice.roll(2) == 0;
    if openrc {
        tree.extend(folders(&["/etc/runlevels", "/etc/runlevels/default", OPENRC, "/run/openrc/started"]));
    } else {
        put(&mut tree, "/usr/sbin/update-rc.d", file("program"));
        tree.extend(LEVELS.map(|level| (format!("/etc/rc{level}.d"), Node::new(What::Directory, 0o755))));
    }
    for name in NAMES {
        if dice.roll(2) == 0 {
            enable(&mut tree, name);
        }
        if dice.roll(2) == 0 {
            let place = running(&tree, name);
            put(&mut tree, &place, file(""));
        }
    }
    tree
}

fn manifest(dice: &mut Dice) -> Value {
    let mut resources = Vec::new();
    for name in NAMES {
        let service = match dice.roll(6) {
            0 => continue,
            1 => json!({"meta": {"state": "absent"}}),
            2 => json!({"enabled": dice.roll(2) == 0}),
            3 => json!({"running": dice.roll(2) == 0}),
            _ => json!({"running": dice.roll(2) == 0, "enabled": dice.roll(2) == 0}),
        };
        resources.push((format!("services/{name}"), service));
    }
    revision(resources)
}

/// Where it stands that a service runs.
fn running(tree: &Tree, name: &str) -> String {
    let openrc = tree.contains_key(OPENRC);
    if openrc { format!("/run/openrc/started/{name}") } else { format!("/run/{name}.pid") }
}

fn enable(tree: &mut Tree, name: &str) {
    let link = |target: String| Node::new(What::Link(target), 0o777);
    if tree.contains_key(OPENRC) {
        put(tree, &format!("/etc/runlevels/default/{name}"), link(format!("/etc/init.d/{name}")));
        return;
    }
    for level in LEVELS {
        tree.remove(&format!("/etc/rc{level}.d/K01{name}"));
        put(tree, &format!("/etc/rc{level}.d/S01{name}"), link(format!("../init.d/{name}")));
    }
}

fn programs(tree: &mut Tree, program: &Program) -> ProgramOutput {
    let words = words(program);
    let script = |name: &str| format!("/etc/init.d/{name}");
    match words.as_slice() {
        ["rc-service", "--quiet", "--", name, verb] => act(tree, name, verb),
        ["rc-update", "--quiet", "add", name, "default"] => {
            enable(tree, name);
            ProgramOutput::default()
        }
        ["rc-update", "--quiet", "del", name, level] => {
            tree.remove(&format!("/etc/runlevels/{level}/{name}"));
            ProgramOutput::default()
        }
        // It leaves links alone where there are any.
        ["update-rc.d", name, "defaults"] => {
            if !tree.contains_key(&format!("/etc/rc2.d/K01{name}")) {
                enable(tree, name);
            }
            ProgramOutput::default()
        }
        ["update-rc.d", name, "enable"] => {
            enable(tree, name);
            ProgramOutput::default()
        }
        ["update-rc.d", name, "disable"] => {
            for level in LEVELS {
                if let Some(link) = tree.remove(&format!("/etc/rc{level}.d/S01{name}")) {
                    put(tree, &format!("/etc/rc{level}.d/K01{name}"), link);
                }
            }
            ProgramOutput::default()
        }
        [path, verb] if NAMES.iter().any(|name| script(name) == *path) => {
            act(tree, path.trim_start_matches("/etc/init.d/"), verb)
        }
        other => refuses(&format!("no program {other:?}")),
    }
}

fn act(tree: &mut Tree, name: &str, verb: &str) -> ProgramOutput {
    let place = running(tree, name);
    let runs = tree.contains_key(&place);
    match verb {
        "status" if runs => return ProgramOutput::default(),
        "status" => return ProgramOutput { code: 3, ..ProgramOutput::default() },
        "start" | "restart" => put(tree, &place, file("")),
        "stop" | "zap" => drop(tree.remove(&place)),
        _ => return refuses("usage"),
    }
    ProgramOutput::default()
}

/// A link that stops a service says as much as none.
fn plain(mut tree: Tree) -> Tree {
    tree.retain(|path, _| !(path.starts_with("/etc/rc") && path.contains("/K01")));
    tree
}
