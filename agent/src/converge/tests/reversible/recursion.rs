//! Directories whose owner and modes go for all below.

use super::{Dice, Family, file, folders, put, revision};
use crate::host::ProgramOutput;
use crate::host::fake::{Node, Tree, What};
use muster_schema::Collection;
use serde_json::{Value, json};

pub(super) const FAMILY: Family = Family {
    name: "recursion",
    collections: &[Collection::Directories],
    host,
    manifest,
    programs: |_, _| ProgramOutput::default(),
    plain: |tree| tree,
};

fn host(dice: &mut Dice) -> Tree {
    let mut tree = folders(&["/", "/etc", "/srv", "/srv/x", "/srv/x/d", "/srv/x/d/e"]);
    for path in ["/srv/x/a", "/srv/x/b", "/srv/x/d/c", "/srv/x/d/e/f", "/srv/x/l"] {
        let (mode, uid) = ([0o600, 0o644, 0o4755][dice.roll(3) as usize], dice.roll(3) as u32);
        match dice.roll(4) {
            0 => {}
            1 => put(&mut tree, path, Node::new(What::Link("a".to_owned()), 0o777)),
            _ => put(&mut tree, path, Node { mode, uid, ..file("x") }),
        }
    }
    tree
}

fn manifest(dice: &mut Dice) -> Value {
    let mut directory = json!({"recurse": true, "owner": dice.one(&["0", "1", "7"])});
    if dice.roll(2) == 0 {
        directory["file_mode"] = dice.one(&["0600", "0640"]).into();
    }
    if dice.roll(2) == 0 {
        directory["mode"] = "0750".into();
    }
    if dice.roll(4) == 0 {
        return revision([]);
    }
    revision([("directories/srv/x".to_owned(), directory)])
}
