//! Archives that are unpacked over what is there.

use super::{Dice, Family, file, folders, put, revision};
use crate::host::ProgramOutput;
use crate::host::fake::{Node, Tree, What};
use crate::test_tar::Tar;
use muster_schema::{Collection, Sha256Digest};
use serde_json::{Value, json};

/// What the world has.
pub(super) fn served() -> [(&'static str, Vec<u8>); 2] {
    let one = Tar::default().file("app-1/a", 0o755, "one\n").file("app-1/d/b", 0o640, "b\n").link("app-1/l", "d/b");
    let two = Tar::default().file("app-2/a", 0o755, "two\n").folder("app-2/e/", 0o750).file("app-2/e/c", 0o644, "c\n");
    [("http://example.org/one.tgz", one.gzip()), ("http://example.org/two.tar", two.bytes())]
}

pub(super) const FAMILY: Family = Family {
    name: "archives",
    collections: &[Collection::Archives],
    host,
    manifest,
    programs: |_, _| ProgramOutput::default(),
    plain: |tree| tree,
};

/// `app-1` and `app-2` are stripped in most revisions.
pub(super) fn host(dice: &mut Dice) -> Tree {
    let mut tree = folders(&["/", "/etc", "/srv"]);
    if dice.roll(2) == 0 {
        put(&mut tree, "/srv/x", Node { mode: 0o750, uid: 7, ..Node::new(What::Directory, 0o755) });
        for path in ["/srv/x/a", "/srv/x/l", "/srv/x/other"] {
            match dice.roll(3) {
                0 => put(&mut tree, path, Node { mode: 0o640, uid: 7, ..file(dice.one(&["found\n", "one\n"])) }),
                1 => put(&mut tree, path, Node::new(What::Link("elsewhere".to_owned()), 0o777)),
                _ => {}
            }
        }
    }
    tree
}

fn manifest(dice: &mut Dice) -> Value {
    let served = served();
    let mut resources = Vec::new();
    for (name, dest) in [("x", "/srv/x"), ("y", "/srv/y")] {
        let (url, content) = &served[dice.roll(2) as usize];
        let mut archive = json!({"dest": dest, "url": url, "sha256": Sha256Digest::of(content), "strip": 1});
        match dice.roll(5) {
            0 => continue,
            1 => archive["meta"] = json!({"state": "absent"}),
            2 => archive["strip"] = 0.into(),
            3 => archive["owner"] = "7".into(),
            _ => {}
        }
        resources.push((format!("archives/{name}"), archive));
    }
    revision(resources)
}
