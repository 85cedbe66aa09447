//! Keys that let users in.

use super::world::{World, nothing};
use super::{Dice, Family, file, folders, put, revision, text};
use crate::converge::Extent;
use crate::converge::tests::load;
use crate::converge::tests::properties::now;
use crate::host::ProgramOutput;
use crate::host::fake::{Node, Tree, What};
use muster_schema::Collection;
use muster_schema::resource::{Enforcement, entry_of};
use muster_schema::state::Cause;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const FILES: [&str; 2] = ["/home/anna/.ssh/authorized_keys", "/home/ben/.ssh/authorized_keys"];
const USERS: [&str; 2] = ["anna", "ben"];
const KEYS: [&str; 4] = [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB",
    "no-pty ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC",
];

pub(super) const FAMILY: Family = Family {
    name: "keys",
    collections: &[Collection::AuthorizedKeys],
    host,
    manifest,
    programs: |_, _| ProgramOutput::default(),
    plain: |tree| tree,
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
            let first = dice.roll(4) as usize;
            for at in 0..KEYS.len() {
                if dice.roll(3) == 0 {
                    text.push_str(&format!("# theirs, {at}\n"));
                }
                if dice.roll(2) == 0 {
                    text.push_str(&format!("{} found\n", KEYS[(first + at) % KEYS.len()]));
                }
            }
            if dice.roll(3) != 0 {
                put(&mut tree, path, owned(Node { mode: 0o600, ..file(text) }));
            }
        }
    }
    tree
}

/// Lists of the same and of different users, for some of which there are no others.
fn manifest(dice: &mut Dice) -> Value {
    let mut resources = Vec::new();
    for name in ["a", "b", "c"] {
        if dice.roll(4) == 0 {
            continue;
        }
        let mut keys = Vec::new();
        for _ in 0..1 + dice.roll(2) {
            keys.push(format!("{}{}", dice.one(&KEYS), dice.one(&["", " ours"])));
        }
        let mut attributes = json!({"user": USERS[usize::from(dice.roll(4) == 0)], "keys": keys});
        match dice.roll(6) {
            0..=2 => attributes["exclusive"] = true.into(),
            3 => attributes["meta"] = json!({"state": "absent"}),
            _ => {}
        }
        resources.push((format!("authorized_keys/{name}"), attributes));
    }
    revision(resources)
}

/// Whatever came before: what was found first and the lists of now are all that says which keys there are. Lists come
/// and change together, and leave one after the other.
#[test]
fn several_lists_of_a_user_are_one_file() {
    for seed in 1..=100 {
        let mut dice = Dice((seed * 0x9E37_79B9) | 1);
        let tree = host(&mut dice);
        let mut revisions = vec![manifest(&mut dice), manifest(&mut dice), manifest(&mut dice)];
        while let Some(last) = revisions.last().and_then(Value::as_object).filter(|last| !last.is_empty()) {
            let leaves = last.keys().nth(dice.roll(last.len() as u64) as usize).unwrap().clone();
            let mut rest = last.clone();
            rest.remove(&leaves);
            revisions.push(Value::Object(rest));
        }
        let world = World::new(&FAMILY, &tree);
        let mut converger = Some(world.begin(&nothing(), Enforcement::Enforce));
        let mut before = nothing();
        for (at, revision) in revisions.iter().enumerate() {
            // A process that goes on, or one that has only the disk.
            if dice.roll(2) == 0 {
                drop(converger.take());
            }
            let going_on = converger.get_or_insert_with(|| world.begin(&before, Enforcement::Enforce));
            let resources = load(&going_on.managed().blobs, revision);
            going_on.set_resources(resources).unwrap();
            going_on.converge(Cause::Intentional, Extent::All, &|| false, now).unwrap();
            for (user, path) in USERS.into_iter().zip(FILES) {
                let entries = |tree: &Tree| text(tree, path).lines().filter_map(entry_of).collect::<Vec<String>>();
                let mut found = entries(&world.host.tree());
                found.sort_unstable();
                let wanted: Vec<String> = entries_of(revision, user, entries(&tree)).into_iter().collect();
                let text = text(&tree, path);
                assert_eq!(found, wanted, "seed {seed}, {user}, revision {at} of {}, on {text}", json!(revisions));
            }
            before = revision.clone();
        }
        assert!(world.host.tree() == tree, "seed {seed}: not as it was after {}", json!(revisions));
    }
}

/// The entries that a user is to have under this revision.
fn entries_of(revision: &Value, user: &str, found: Vec<String>) -> BTreeSet<String> {
    let lists = || revision.as_object().unwrap().values().filter(|list| list["user"] == user);
    let keys = |absent: bool| -> BTreeSet<String> {
        let lists = lists().filter(|list| (list["meta"]["state"] == "absent") == absent);
        lists.flat_map(|list| list["keys"].as_array().unwrap()).filter_map(|key| entry_of(key.as_str()?)).collect()
    };
    let (asked, refused) = (keys(false), keys(true));
    let foreign = found.into_iter().filter(|entry| !refused.contains(entry));
    match lists().any(|list| list["exclusive"] == true) {
        true => asked,
        false => foreign.chain(asked).collect(),
    }
}
