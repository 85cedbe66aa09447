//! What must be applied before what, and that it has no cycle.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use muster_schema::resource::OrderClass;
use muster_schema::{Address, Collection};

use super::edges::Edges;
use super::placed::Placed;
use super::rendering::Rendering;
use super::unite::HostSet;
use crate::model::{Extensions, Finding};

/// How many cycles are told of one host.
const MAX_CYCLES: usize = 20;

/// A node of the graph: a resource, or a class of resources of one application that others wait for as a whole.
type NodeIndex = usize;

/// Finds a cycle among what resources require, react to, and imply: the folder above,
/// the owner, repositories before packages, and within an application packages before files before services.
pub(super) fn check_order(rendering: &Rendering, host_set: &HostSet, edges: &BTreeMap<Address, Edges>) {
    // What is implied has no cycle by itself, so every cycle passes an edge that is written.
    if edges.values().all(BTreeMap::is_empty) {
        return;
    }
    let placed: Vec<&Placed> = host_set.resources.values().collect();
    let graph = Graph::of(&placed, edges, rendering.model.extensions());
    for cycle in graph.cycles() {
        let members: Vec<&&Placed> = cycle.iter().filter_map(|index| placed.get(*index)).collect();
        let Some(first) = members.first() else { continue };
        let names: Vec<String> =
            members.iter().chain(members.first()).map(|member| member.address.to_string()).collect();
        let tainted = members.iter().any(|member| member.tainted);
        let reason = format!("resources wait for one another: {}", names.join(" → "));
        let finding = Finding::new(first.place.clone(), reason).with_scope(rendering.scope_of(tainted));
        rendering.record().find(finding);
    }
}

struct Graph {
    /// What each node waits for. Resources come first, in the order of their addresses, then classes.
    before: Vec<Vec<NodeIndex>>,
    /// Resources with an edge that is written.
    written: Vec<NodeIndex>,
}

impl Graph {
    fn of(placed: &[&Placed], edges: &BTreeMap<Address, Edges>, extensions: &Extensions) -> Graph {
        let indexes: HashMap<&Address, NodeIndex> =
            placed.iter().enumerate().map(|(index, placed)| (&placed.address, index)).collect();
        let mut graph = Graph { before: vec![Vec::new(); placed.len()], written: Vec::new() };
        for (index, resource) in placed.iter().enumerate() {
            let targets = edges.get(&resource.address).into_iter().flat_map(BTreeMap::values).flatten();
            let targets: Vec<NodeIndex> = targets.filter_map(|target| indexes.get(target).copied()).collect();
            if !targets.is_empty() {
                graph.written.push(index);
                graph.before[index] = targets;
            }
        }
        let present: Vec<(NodeIndex, &Placed)> = placed
            .iter()
            .enumerate()
            .filter(|(_, placed)| !is_absent(placed))
            .map(|(index, placed)| (index, *placed))
            .collect();
        graph.add_classes(&present, extensions);
        graph.add_repositories(&present, extensions);
        graph.add_folders_and_owners(&present);
        graph
    }

    /// Packages before files before services, and repositories before all of them, within each application. What
    /// packages wait for is not only within it.
    fn add_classes(&mut self, present: &[(NodeIndex, &Placed)], extensions: &Extensions) {
        let mut classes: HashMap<(Arc<str>, OrderClass), NodeIndex> = HashMap::new();
        for (index, placed) in present {
            let (Some(instance), Some(own)) = (&placed.instance, class_of(placed, extensions)) else { continue };
            let node = self.class(&mut classes, instance, own);
            self.before[node].push(*index);
            let earlier = OrderClass::ALL.into_iter().filter(|class| *class < own && own != OrderClass::Packages);
            for class in earlier {
                let node = self.class(&mut classes, instance, class);
                self.before[*index].push(node);
            }
        }
    }

    /// Every repository before every package, but for packages that a repository names: it needs them itself.
    fn add_repositories(&mut self, present: &[(NodeIndex, &Placed)], extensions: &Extensions) {
        let of = |class: OrderClass| {
            let is_so = move |(_, placed): &&(NodeIndex, &Placed)| class_of(placed, extensions) == Some(class);
            present.iter().filter(is_so).map(|(index, _)| *index)
        };
        let repositories: Vec<NodeIndex> = of(OrderClass::Repositories).collect();
        if repositories.is_empty() {
            return;
        }
        let named: HashSet<NodeIndex> =
            repositories.iter().filter_map(|index| self.before.get(*index)).flatten().copied().collect();
        let all = self.before.len();
        self.before.push(repositories);
        for package in of(OrderClass::Packages).filter(|package| !named.contains(package)) {
            self.before[package].push(all);
        }
    }

    fn class(
        &mut self,
        classes: &mut HashMap<(Arc<str>, OrderClass), NodeIndex>,
        instance: &Arc<str>,
        class: OrderClass,
    ) -> NodeIndex {
        *classes.entry((instance.clone(), class)).or_insert_with(|| {
            self.before.push(Vec::new());
            self.before.len() - 1
        })
    }

    fn add_folders_and_owners(&mut self, present: &[(NodeIndex, &Placed)]) {
        let mut folders: HashMap<&str, NodeIndex> = HashMap::new();
        let mut mounts: HashMap<&str, NodeIndex> = HashMap::new();
        let mut accounts: HashMap<(Collection, &str), NodeIndex> = HashMap::new();
        for (index, placed) in present {
            match placed.address.collection() {
                Collection::Directories | Collection::Links => _ = folders.insert(placed.address.id(), *index),
                Collection::Mounts => _ = mounts.insert(placed.address.id(), *index),
                of @ (Collection::Users | Collection::Groups) => _ = accounts.insert((of, placed.address.id()), *index),
                _ => {}
            }
        }
        for (index, placed) in present {
            if placed.address.collection().id_is_path() && !(folders.is_empty() && mounts.is_empty()) {
                let id = placed.address.id();
                let above = id.match_indices('/').filter_map(|(end, _)| id.get(..end));
                self.before[*index].extend(above.flat_map(|path| [folders.get(path), mounts.get(path)]).flatten());
                // What is put on a folder comes after it.
                let on = folders.get(id).filter(|_| !placed.address.collection().occupies_path());
                self.before[*index].extend(on);
            }
            if accounts.is_empty() || placed.address.collection().extension().is_some() {
                continue;
            }
            for (attribute, of) in
                [("owner", Collection::Users), ("user", Collection::Users), ("group", Collection::Groups)]
            {
                let name = placed.map().and_then(|map| map.get(attribute)).and_then(|node| node.as_str());
                self.before[*index].extend(name.and_then(|name| accounts.get(&(of, name))));
            }
        }
    }

    /// Cycles that pass a written edge, each from its least resource. Without recursion: chains may be long.
    fn cycles(&self) -> Vec<Vec<NodeIndex>> {
        let mut done: HashSet<NodeIndex> = HashSet::new();
        let mut cycles: Vec<Vec<NodeIndex>> = Vec::new();
        for start in &self.written {
            // The path from `start`, each node with how many of its targets were followed.
            let mut path: Vec<(NodeIndex, usize)> = Vec::new();
            let mut next = Some(*start);
            while next.is_some() || !path.is_empty() {
                if let Some(node) = next.take() {
                    if let Some(from) = path.iter().position(|(other, _)| *other == node) {
                        cycles.push(path.iter().skip(from).map(|(node, _)| *node).collect());
                    } else if !done.contains(&node) {
                        path.push((node, 0));
                    }
                }
                let Some((node, followed)) = path.last_mut() else { break };
                match self.before.get(*node).and_then(|targets| targets.get(*followed)) {
                    Some(target) => {
                        *followed += 1;
                        next = Some(*target);
                    }
                    None => {
                        done.insert(*node);
                        path.pop();
                    }
                }
            }
            if cycles.len() > MAX_CYCLES {
                break;
            }
        }
        for cycle in &mut cycles {
            let least = cycle.iter().enumerate().min_by_key(|(_, node)| **node).map_or(0, |(index, _)| index);
            cycle.rotate_left(least);
        }
        cycles.sort();
        cycles.dedup();
        cycles.truncate(MAX_CYCLES);
        cycles
    }
}

fn class_of(placed: &Placed, extensions: &Extensions) -> Option<OrderClass> {
    let collection = placed.address.collection();
    extensions.of(collection).map_or(collection.class(), |extension| extension.order)
}

fn is_absent(placed: &Placed) -> bool {
    placed.map().and_then(|map| map.get("state")).and_then(|state| state.as_str()) == Some("absent")
}
