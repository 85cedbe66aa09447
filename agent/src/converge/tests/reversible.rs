//! Whatever the type: adopt, change, take out of the repository, and every address observes as it was found.
//!
//! Each family of types makes small hosts and small revisions at random, and all of them keep the same laws. A type
//! that takes no part fails a test. What fails is made smaller before it is shown.

mod accounts;
mod archives;
mod booted;
mod certificates;
mod checkouts;
mod commands;
mod containers;
mod downloads;
mod edits;
mod firewall;
mod identity;
mod kernel;
mod keys;
mod laws;
mod mounts;
mod names;
mod packages;
mod paths;
mod recursion;
mod repositories;
mod services;
mod unchanging;
mod world;

use super::properties::Dice;
use crate::host::fake::{Node, Programs, Tree, What};
use crate::host::{Program, ProgramOutput};
use muster_schema::Collection;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use world::{World, nothing};

/// Types that are tried together.
struct Family {
    name: &'static str,
    /// Each of them is changed at random by its revisions.
    collections: &'static [Collection],
    /// A host to begin with.
    host: fn(&mut Dice) -> Tree,
    /// What a revision asks for: nothing that contradicts itself.
    manifest: fn(&mut Dice) -> Value,
    /// What the programs do that these types run.
    programs: Programs,
    /// The tree without what has no meaning, such as the order of lines.
    plain: fn(Tree) -> Tree,
}

/// All families on the host in memory.
const FAMILIES: [&Family; 18] = [
    &accounts::FAMILY,
    &paths::FAMILY,
    &edits::FAMILY,
    &names::FAMILY,
    &keys::FAMILY,
    &kernel::FAMILY,
    &identity::FAMILY,
    &mounts::FAMILY,
    &firewall::FAMILY,
    &packages::FAMILY,
    &services::FAMILY,
    &commands::FAMILY,
    &downloads::FAMILY,
    &archives::FAMILY,
    &checkouts::FAMILY,
    &certificates::FAMILY,
    &repositories::FAMILY,
    &recursion::FAMILY,
];

#[test]
fn every_type_takes_part() {
    let in_memory = FAMILIES.iter().flat_map(|family| family.collections.iter().copied());
    let booted = booted::COLLECTIONS.into_iter().chain(containers::COLLECTIONS);
    let taking_part: BTreeSet<Collection> = in_memory.chain(booted).chain(unchanging::COLLECTIONS).collect();
    for collection in Collection::ALL {
        assert!(taking_part.contains(&collection), "{}: add a generator to a family in {}", collection.name(), file!());
    }
}

/// A file with this text.
fn file(text: impl Into<Vec<u8>>) -> Node {
    Node::new(What::File(text.into()), 0o644)
}

/// A tree with these folders.
fn folders(paths: &[&str]) -> Tree {
    paths.iter().map(|path| ((*path).to_owned(), Node::new(What::Directory, 0o755))).collect()
}

fn put(tree: &mut Tree, path: &str, node: Node) {
    tree.insert(path.to_owned(), node);
}

fn text(tree: &Tree, path: &str) -> String {
    match tree.get(path).map(|node| &node.what) {
        Some(What::File(content)) => String::from_utf8_lossy(content).into_owned(),
        _ => String::new(),
    }
}

/// Puts the lines of these files in order.
fn sort_lines(mut tree: Tree, paths: &[&str]) -> Tree {
    for path in paths {
        if let Some(Node { what: What::File(content), .. }) = tree.get_mut(*path) {
            let mut lines: Vec<&str> = std::str::from_utf8(content).unwrap().lines().collect();
            lines.sort_unstable();
            *content = lines.join("\n").into_bytes();
        }
    }
    tree
}

/// Resources by address.
fn revision(resources: impl IntoIterator<Item = (String, Value)>) -> Value {
    Value::Object(resources.into_iter().collect::<Map<String, Value>>())
}

/// How a program ends that says this.
fn says(stdout: impl Into<Vec<u8>>) -> ProgramOutput {
    ProgramOutput { stdout: stdout.into(), ..ProgramOutput::default() }
}

/// How a program ends that refuses.
fn refuses(stderr: &str) -> ProgramOutput {
    ProgramOutput { code: 1, stderr: stderr.into(), ..ProgramOutput::default() }
}

/// The words of its call.
fn words(program: &Program) -> Vec<&str> {
    program.argv.iter().map(String::as_str).collect()
}
