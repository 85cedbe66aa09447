//! Files from elsewhere.

use super::{Dice, Family, file, folders, put, revision};
use crate::host::ProgramOutput;
use crate::host::fake::{Node, Tree, What};
use muster_schema::Collection;
use muster_schema::Sha256Digest;
use serde_json::{Value, json};

/// What the world has.
pub(super) const SERVED: [(&str, &str); 2] = [("http://example.org/one", "one\n"), ("http://example.org/two", "two\n")];

pub(super) const FAMILY: Family = Family {
    name: "downloads",
    collections: &[Collection::Downloads],
    host,
    manifest,
    programs: |_, _| ProgramOutput::default(),
    plain: |tree| tree,
};

fn host(dice: &mut Dice) -> Tree {
    let mut tree = folders(&["/", "/etc", "/srv"]);
    for path in ["/srv/a", "/srv/b"] {
        match dice.roll(3) {
            0 => put(&mut tree, path, Node { mode: 0o640, uid: 7, ..file(dice.one(&["found\n", "one\n"])) }),
            1 => put(&mut tree, path, Node::new(What::Link("elsewhere".to_owned()), 0o777)),
            _ => {}
        }
    }
    tree
}

fn manifest(dice: &mut Dice) -> Value {
    let mut resources = Vec::new();
    for (name, path) in [("x", "/srv/a"), ("y", "/srv/b")] {
        let (url, content) = SERVED[dice.roll(2) as usize];
        let mut download = json!({"path": path, "url": url, "sha256": Sha256Digest::of(content.as_bytes())});
        match dice.roll(4) {
            0 => continue,
            1 => download["meta"] = json!({"state": "absent"}),
            2 => download["mode"] = "0755".into(),
            _ => {}
        }
        resources.push((format!("downloads/{name}"), download));
    }
    revision(resources)
}
