//! Keys that let users in.

use super::{Dice, Family, file, folders, put, revision, sort_lines};
use crate::host::ProgramOutput;
use crate::host::fake::{Node, Tree, What};
use muster_schema::Collection;
use serde_json::{Value, json};

const FILES: [&str; 2] = ["/home/anna/.ssh/authorized_keys", "/home/ben/.ssh/authorized_keys"];
const USERS: [&str; 2] = ["anna", "ben"];
const KEYS: [&str; 3] = [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB",
    "no-pty ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC",
];

pub(super) const FAMILY: Family = Family {
    name: "keys",
    collections: &[Collection::AuthorizedKeys],
    host,
    manifest,
    programs: |_, _| ProgramOutput::default(),
    plain: |tree| sort_lines(tree, &FILES),
};

fn host(dice: &mut Dice) -> Tree {
    let mut tree = folders(&["/", "/etc", "/home", "/home/anna", "/home/ben"]);
    put(&mut tree, "/etc/passwd", file("anna:x:7:7::/home/anna:/bin/sh\nben:x:8:8::/home/ben:/bin/sh\n"));
    put(&mut tree, "/etc/group", file("anna:x:7:\nben:x:8:\n"));
    for (path, uid) in FILES.into_iter().zip([7, 8]) {
        let folder = path.rsplit_once('/').unwrap().0;
        let owned = |node: Node| Node { uid, gid: uid, ..node };
        if dice.roll(3) != 0 {
            put(&mut tree, folder, owned(Node::new(What::Directory, 0o700)));
            let mut text = String::new();
            for key in KEYS {
                if dice.roll(3) == 0 {
                    text.push_str(&format!("{key} found\n"));
                }
            }
            if dice.roll(2) == 0 {
                text.push_str("# theirs\n");
            }
            if dice.roll(3) != 0 {
                put(&mut tree, path, owned(Node { mode: 0o600, ..file(text) }));
            }
        }
    }
    tree
}

fn manifest(dice: &mut Dice) -> Value {
    let mut resources = Vec::new();
    // An exclusive list is alone with its user: what a second one finds is what the first one left.
    for (name, own) in [("a", 0), ("b", 1), ("c", 2)] {
        if dice.roll(4) == 0 {
            continue;
        }
        let exclusive = name == "b";
        let keys = [format!("{}{}", KEYS[own], dice.one(&["", " ours"]))];
        let mut attributes = json!({"user": USERS[usize::from(exclusive)], "keys": keys});
        if exclusive {
            attributes["exclusive"] = true.into();
        } else if name == "c" {
            // Whoever asked for it to go and then for it to come has no say in the comment that it was found with.
            attributes["meta"] = json!({"state": "absent"});
        }
        resources.push((format!("authorized_keys/{name}"), attributes));
    }
    revision(resources)
}
