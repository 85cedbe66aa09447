//! Commands: what undoes them, their authors say.

use super::{Dice, Family, file, folders, put, refuses, revision, words};
use crate::host::fake::Tree;
use crate::host::{Program, ProgramOutput};
use muster_schema::Collection;
use serde_json::{Value, json};

const NAMES: [&str; 3] = ["a", "b", "c"];

pub(super) const FAMILY: Family =
    Family { name: "commands", collections: &[Collection::Commands], host, manifest, programs, plain: |tree| tree };

fn host(dice: &mut Dice) -> Tree {
    let mut tree = folders(&["/", "/srv"]);
    for name in NAMES {
        if dice.roll(3) == 0 {
            put(&mut tree, &format!("/srv/{name}"), file("made"));
        }
    }
    tree
}

fn manifest(dice: &mut Dice) -> Value {
    let mut resources = Vec::new();
    for name in NAMES {
        let path = format!("/srv/{name}");
        let mut command = json!({"argv": ["make", path], "undo": {"argv": ["unmake", path]}});
        match dice.roll(4) {
            0 => continue,
            1 => command["creates"] = path.into(),
            2 => command["only_if"] = json!(["is-missing", path]),
            _ => command["unless"] = json!(["is-made", path]),
        }
        resources.push((format!("commands/{name}"), command));
    }
    revision(resources)
}

fn programs(tree: &mut Tree, program: &Program) -> ProgramOutput {
    let is = |answer: bool| if answer { ProgramOutput::default() } else { refuses("") };
    match words(program).as_slice() {
        ["make", path] => put(tree, path, file("made")),
        ["unmake", path] => drop(tree.remove(*path)),
        ["is-made", path] => return is(tree.contains_key(*path)),
        ["is-missing", path] => return is(!tree.contains_key(*path)),
        other => return refuses(&format!("no program {other:?}")),
    }
    ProgramOutput::default()
}

#[test]
fn what_a_command_did_stays_without_an_undo_and_the_plan_says_so() {
    use super::world::{World, nothing};
    let world = World::new(&FAMILY, &folders(&["/", "/srv"]));
    let wanted = json!({"commands/a": {"argv": ["make", "/srv/a"], "creates": "/srv/a"}});
    world.follow(&nothing(), &wanted);
    let followed = world.follow(&wanted, &nothing());
    let said: Vec<&String> = followed.said.iter().map(|(_, what)| what).collect();
    assert_eq!(said, ["stays: what it did has no `undo`"]);
    assert!(world.host.tree().contains_key("/srv/a"));
    assert!(world.owned().is_empty());
}
