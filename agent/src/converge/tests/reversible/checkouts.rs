//! Files of commits, from a git that has two of them.

use super::{Dice, Family, archives, refuses, revision, words};
use crate::host::fake::Tree;
use crate::host::{Program, ProgramOutput};
use crate::test_tar::Tar;
use muster_schema::Collection;
use serde_json::{Value, json};
use std::fs;

const COMMITS: [&str; 2] = ["1111111111111111111111111111111111111111", "2222222222222222222222222222222222222222"];

pub(super) const FAMILY: Family = Family {
    name: "checkouts",
    collections: &[Collection::Checkouts],
    host: archives::host,
    manifest,
    programs,
    plain: |tree| tree,
};

fn manifest(dice: &mut Dice) -> Value {
    let mut resources = Vec::new();
    for (name, dest) in [("x", "/srv/x"), ("y", "/srv/y")] {
        let url = "https://example.org/site.git";
        let mut checkout = json!({"dest": dest, "url": url, "revision": dice.one(&COMMITS)});
        match dice.roll(4) {
            0 => continue,
            1 => checkout["meta"] = json!({"state": "absent"}),
            2 => checkout["owner"] = "7".into(),
            _ => {}
        }
        resources.push((format!("checkouts/{name}"), checkout));
    }
    revision(resources)
}

/// It gives a tree to the folder of its caller, which is none of the host in memory.
fn programs(_: &mut Tree, program: &Program) -> ProgramOutput {
    let words = words(program);
    if !words.contains(&"archive") {
        let known = ["init", "fetch"].iter().any(|verb| words.contains(verb));
        return if known { ProgramOutput::default() } else { refuses(&format!("no program {words:?}")) };
    }
    let tar = match words.last() {
        Some(commit) if *commit == COMMITS[0] => {
            Tar::default().file("a", 0o755, "one\n").file("d/b", 0o640, "b\n").link("l", "d/b")
        }
        _ => Tar::default().file("a", 0o755, "two\n").folder("e/", 0o750).file("e/c", 0o644, "c\n"),
    };
    let output = words.iter().find_map(|word| word.strip_prefix("--output=")).unwrap();
    fs::write(output, tar.bytes()).unwrap();
    ProgramOutput::default()
}
