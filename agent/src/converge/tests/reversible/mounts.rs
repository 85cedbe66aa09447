//! What is mounted, and what is mounted at the next boot.

use super::{Dice, Family, file, folders, put, refuses, revision, sort_lines, text, words};
use crate::host::fake::Tree;
use crate::host::{Program, ProgramOutput};
use muster_schema::Collection;
use serde_json::{Value, json};

const FSTAB: &str = "/etc/fstab";
const TABLE: &str = "/proc/self/mountinfo";
const ROOT: &str = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n";

pub(super) const FAMILY: Family = Family {
    name: "mounts",
    collections: &[Collection::Mounts],
    host,
    manifest,
    programs,
    plain: |tree| sort_lines(tree, &[FSTAB, TABLE]),
};

fn host(dice: &mut Dice) -> Tree {
    let mut tree = folders(&["/", "/etc", "/proc", "/proc/self", "/srv", "/srv/a", "/srv/b", "/srv/source"]);
    let (mut table, mut fstab) = (ROOT.to_owned(), "# theirs\n/dev/sda1 / ext4 errors=remount-ro 0 1\n".to_owned());
    // Somebody mounts the same thing, with options that ours may not have.
    if dice.roll(2) == 0 {
        fstab.push_str("tmpfs /srv/a tmpfs noexec 0 0\n");
        if dice.roll(2) == 0 {
            table.push_str(&line("0:9", "/", "/srv/a", "tmpfs", "tmpfs", "noexec"));
        }
    }
    put(&mut tree, TABLE, file(table));
    if dice.roll(4) != 0 {
        put(&mut tree, FSTAB, file(fstab));
    } else {
        put(&mut tree, TABLE, file(ROOT));
    }
    tree
}

fn line(device: &str, root: &str, folder: &str, fs_type: &str, source: &str, options: &str) -> String {
    format!("2 1 {device} {root} {folder} rw - {fs_type} {source} {options}\n")
}

fn manifest(dice: &mut Dice) -> Value {
    let absent = || json!({"meta": {"state": "absent"}});
    let mut resources = Vec::new();
    let memory = match dice.roll(6) {
        0 => None,
        1 => Some(absent()),
        2 => Some(json!({"what": "tmpfs", "type": "tmpfs", "mounted": false})),
        3 => Some(json!({"what": "tmpfs", "type": "tmpfs", "options": "noexec", "in_fstab": false})),
        _ => Some(json!({"what": "tmpfs", "type": "tmpfs", "options": dice.one(&["size=1m", "size=2m"])})),
    };
    resources.extend(memory.map(|memory| ("mounts/srv/a".to_owned(), memory)));
    let bound = match dice.roll(4) {
        0 => None,
        1 => Some(absent()),
        2 => Some(json!({"what": "/srv/source", "options": "bind", "in_fstab": false})),
        _ => Some(json!({"what": "/srv/source", "options": "bind"})),
    };
    resources.extend(bound.map(|bound| ("mounts/srv/b".to_owned(), bound)));
    revision(resources)
}

fn programs(tree: &mut Tree, program: &Program) -> ProgramOutput {
    let table = text(tree, TABLE);
    let is_at = |line: &&str, folder: &str| line.split(' ').nth(4) == Some(folder);
    let changed: String = match words(program).as_slice() {
        ["mount", "-t", fs_type, "-o", options, "--", what, folder] => {
            let bind = options.split(',').any(|option| option == "bind");
            table
                + &match bind {
                    true => line("8:1", what, folder, "ext4", "/dev/sda1", "rw"),
                    false => line("0:9", "/", folder, fs_type, what, options),
                }
        }
        ["mount", "-o", options, "--", folder] if options.starts_with("remount,") => {
            let options = options.trim_start_matches("remount,");
            let remounted = |line: &str| match line.rsplit_once(' ') {
                Some((head, _)) if is_at(&line, folder) && !options.contains("bind") => format!("{head} {options}\n"),
                _ => format!("{line}\n"),
            };
            table.lines().map(remounted).collect()
        }
        ["umount", "--", folder] => match table.lines().rfind(|line| is_at(line, folder)) {
            Some(gone) => table.replacen(&format!("{gone}\n"), "", 1),
            None => return refuses("not mounted"),
        },
        other => return refuses(&format!("no program {other:?}")),
    };
    put(tree, TABLE, file(changed));
    ProgramOutput::default()
}
