//! What the running kernel is told, and what it is told at the next boot.

use super::{Dice, Family, file, folders, put, refuses, revision, sort_lines, text, words};
use crate::host::fake::Tree;
use crate::host::{Program, ProgramOutput};
use muster_schema::Collection;
use serde_json::{Value, json};

const SYSCTLS: &str = "/etc/sysctl.d/zz-muster.conf";
const MODULES: &str = "/proc/modules";
const FOLDERS: [&str; 3] = ["/etc/sysctl.d", "/etc/modules-load.d", "/etc/modprobe.d"];

pub(super) const FAMILY: Family = Family {
    name: "kernel",
    collections: &[Collection::Sysctls, Collection::KernelModules],
    host,
    manifest,
    programs,
    plain: |tree| sort_lines(tree, &[SYSCTLS, MODULES]),
};

fn host(dice: &mut Dice) -> Tree {
    let mut tree = folders(&["/", "/etc", "/lib", "/lib/modules", "/lib/modules/6.1", "/proc", "/proc/sys"]);
    for folder in FOLDERS {
        if dice.roll(2) == 0 {
            tree.extend(folders(&[folder]));
        }
    }
    tree.extend(folders(&["/proc/sys/kernel", "/proc/sys/vm"]));
    put(&mut tree, "/proc/sys/kernel/osrelease", file("6.1\n"));
    put(&mut tree, "/proc/sys/vm/swappiness", file("60\n"));
    put(&mut tree, "/proc/sys/vm/dirty_ratio", file(dice.one(&["20\n", "10\n"])));
    put(&mut tree, "/lib/modules/6.1/modules.builtin", file("kernel/fs/ext4/ext4.ko\n"));
    let mut modules = String::new();
    for name in ["loop", "dummy_x"] {
        if dice.roll(2) == 0 {
            modules.push_str(&loaded(name));
        }
    }
    put(&mut tree, MODULES, file(modules));
    if tree.contains_key("/etc/modprobe.d") && dice.roll(2) == 0 {
        put(&mut tree, "/etc/modprobe.d/theirs.conf", file("options loop max_loop=8\n"));
    }
    tree
}

fn loaded(name: &str) -> String {
    format!("{name} 16384 0 - Live 0x0000000000000000\n")
}

fn manifest(dice: &mut Dice) -> Value {
    let absent = || json!({"meta": {"state": "absent"}});
    let mut resources = Vec::new();
    for key in ["vm.swappiness", "vm.dirty_ratio"] {
        let sysctl = match dice.roll(5) {
            0 => continue,
            1 => absent(),
            2 => json!({"value": 10, "persist": false}),
            3 => json!({"value": 30, "runtime": false}),
            _ => json!({"value": dice.roll(3) * 10}),
        };
        resources.push((format!("sysctls/{key}"), sysctl));
    }
    for name in ["loop", "dummy_x", "ext4"] {
        let module = match dice.roll(6) {
            0 => continue,
            1 if name != "ext4" => absent(),
            2 if name != "ext4" => json!({"loaded": false, "blacklisted": true}),
            3 => json!({"loaded": true, "options": {"a": dice.roll(2)}}),
            4 => json!({"persisted": false, "options": {"a": 1, "b": "x"}}),
            _ => json!({"loaded": true}),
        };
        resources.push((format!("kernel_modules/{name}"), module));
    }
    revision(resources)
}

fn programs(tree: &mut Tree, program: &Program) -> ProgramOutput {
    let modules = text(tree, MODULES);
    let changed = match words(program).as_slice() {
        ["modprobe", "--", name] if modules.contains(&loaded(name)) => modules,
        ["modprobe", "--", name] => modules + &loaded(name),
        ["modprobe", "-r", "--", name] => modules.replace(&loaded(name), ""),
        other => return refuses(&format!("no program {other:?}")),
    };
    put(tree, MODULES, file(changed));
    ProgramOutput::default()
}
