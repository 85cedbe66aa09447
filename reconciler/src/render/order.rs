//! What must be applied before what, and that it has no cycle.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use muster_schema::{Address, Collection};

use super::edges::Edges;
use super::placed::Placed;
use super::rendering::Rendering;
use super::unite::HostSet;
use crate::model::Finding;

type Graph<'a> = BTreeMap<&'a Address, BTreeSet<&'a Address>>;

/// Finds a cycle among what resources require, react to, and imply: the folder above,
/// the owner, and within an application packages before files before services.
pub(super) fn check_order(rendering: &Rendering, host_set: &HostSet, edges: &BTreeMap<Address, Edges>) {
    let mut graph: Graph<'_> = BTreeMap::new();
    for (address, edges) in edges {
        graph.entry(address).or_default().extend(edges.values().flatten());
    }
    if edges.values().all(BTreeMap::is_empty) {
        // What is implied alone has no cycle.
        return;
    }
    let by_application = classes(host_set);
    for placed in host_set.resources.values().filter(|placed| !is_absent(placed)) {
        let implied = implied(placed, host_set, &by_application);
        graph.entry(&placed.address).or_default().extend(implied);
    }
    for cycle in cycles(&graph) {
        let Some(placed) = cycle.first().and_then(|address| host_set.resources.get(*address)) else { continue };
        let names: Vec<String> = cycle.iter().chain(cycle.first()).map(ToString::to_string).collect();
        let tainted = cycle.iter().filter_map(|address| host_set.resources.get(*address)).any(|placed| placed.tainted);
        let reason = format!("resources wait for one another: {}", names.join(" → "));
        let finding = Finding::new(placed.place.clone(), reason).with_scope(rendering.scope_of(tainted));
        rendering.record().find(finding);
    }
}

fn is_absent(placed: &Placed) -> bool {
    placed.map().and_then(|map| map.get("state")).and_then(|state| state.as_str()) == Some("absent")
}

#[derive(Default)]
struct Classes<'a> {
    packages: Vec<&'a Address>,
    paths: Vec<&'a Address>,
}

fn classes(host_set: &HostSet) -> BTreeMap<Arc<str>, Classes<'_>> {
    let mut classes: BTreeMap<Arc<str>, Classes<'_>> = BTreeMap::new();
    for placed in host_set.resources.values().filter(|placed| !is_absent(placed)) {
        let Some(instance) = &placed.instance else { continue };
        let of_instance = classes.entry(instance.clone()).or_default();
        match placed.address.collection() {
            Collection::Packages => of_instance.packages.push(&placed.address),
            Collection::Files | Collection::Directories | Collection::Links => of_instance.paths.push(&placed.address),
            _ => {}
        }
    }
    classes
}

fn implied<'a>(
    placed: &Placed,
    host_set: &'a HostSet,
    by_application: &BTreeMap<Arc<str>, Classes<'a>>,
) -> Vec<&'a Address> {
    let mut before = Vec::new();
    let known = |address: Option<Address>| Some(host_set.resources.get_key_value(&address?)?.0);
    let address = &placed.address;
    if address.collection().id_is_path() {
        let id = address.id();
        let above = id.match_indices('/').filter_map(|(index, _)| id.get(..index)).filter(|path| !path.is_empty());
        for path in above {
            before.extend(known(Address::new(Collection::Directories, path).ok()));
            before.extend(known(Address::new(Collection::Links, path).ok()));
        }
    }
    let named = |attribute: &str| placed.map().and_then(|map| map.get(attribute)).and_then(|node| node.as_str());
    for (attribute, collection) in
        [("owner", Collection::Users), ("user", Collection::Users), ("group", Collection::Groups)]
    {
        before.extend(named(attribute).and_then(|name| known(Address::new(collection, name).ok())));
    }
    let of_instance = placed.instance.as_ref().and_then(|instance| by_application.get(instance));
    if let Some(classes) = of_instance {
        match address.collection() {
            Collection::Files | Collection::Directories | Collection::Links => before.extend(&classes.packages),
            Collection::Services => before.extend(classes.packages.iter().chain(&classes.paths)),
            _ => {}
        }
    }
    before
}

/// One cycle of each knot, each starting at its least address. Without recursion: chains may be long.
fn cycles<'a>(graph: &Graph<'a>) -> Vec<Vec<&'a Address>> {
    let mut done: BTreeSet<&Address> = BTreeSet::new();
    let mut cycles = Vec::new();
    for start in graph.keys().copied() {
        let mut path: Vec<(&'a Address, Vec<&'a Address>)> = Vec::new();
        let mut on_path: BTreeSet<&Address> = BTreeSet::new();
        let mut next = Some(start);
        loop {
            if let Some(address) = next.take() {
                if on_path.contains(address) {
                    let names: Vec<&Address> = path.iter().map(|(address, _)| *address).collect();
                    let from = names.iter().position(|other| *other == address).unwrap_or(0);
                    cycles.push(names.get(from..).unwrap_or_default().to_vec());
                } else if !done.contains(address) {
                    on_path.insert(address);
                    let targets = graph.get(address).into_iter().flatten().copied().collect();
                    path.push((address, targets));
                }
            }
            let Some((address, targets)) = path.last_mut() else { break };
            match targets.pop() {
                Some(target) => next = Some(target),
                None => {
                    done.insert(*address);
                    on_path.remove(*address);
                    path.pop();
                }
            }
        }
    }
    cycles.truncate(20);
    for cycle in &mut cycles {
        let least = cycle.iter().enumerate().min_by_key(|(_, address)| **address).map_or(0, |(index, _)| index);
        cycle.rotate_left(least);
    }
    cycles.sort();
    cycles.dedup();
    cycles
}
