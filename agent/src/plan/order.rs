//! The order of things: what is asked for, and what goes without saying.
//!
//! Without saying: a folder before what is in it, an owner before what is owned, every repository before every package,
//! and within one application packages before files before services. Where such an edge would close a circle, it is left
//! out.

#[cfg(test)]
mod tests;

use crate::resource::Wanted;
use muster_schema::resource::{Existence, NamedAccounts, OrderClass, OwnPath, Resource, Spec};
use muster_schema::{Address, Collection};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The edges that somebody wrote down lead in a circle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("these require each other: {}", join(.0))]
pub struct CycleError(pub Vec<Address>);

fn join(addresses: &[Address]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Stages, and who stops whom.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Order {
    /// Indices of targets. Those of one stage do not need each other.
    pub stages: Vec<Vec<usize>>,
    /// For each target those whose failure blocks it.
    pub blockers: Vec<Vec<usize>>,
}

/// From weakest to strongest: the weakest of a circle is left out first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    Application,
    Repository,
    Member,
    Owner,
    Parent,
    Asked,
}

/// What is put in order.
#[derive(Debug, Clone, Copy)]
pub struct Ordered<'t> {
    /// The resource: of the manifest, or of the ledger when it leaves.
    pub resource: &'t Resource,
    /// What is to be true, where that is known yet.
    pub wanted: Option<&'t Wanted>,
}

impl<'t> Ordered<'t> {
    fn address(&self) -> &'t Address {
        &self.resource.address
    }
}

struct Edge {
    first: usize,
    then: usize,
    strength: Strength,
}

impl Order {
    /// Orders the targets so that each comes after what it needs.
    ///
    /// # Errors
    /// When edges of the manifest lead in a circle.
    pub fn of(targets: &[Ordered<'_>]) -> Result<Order, CycleError> {
        let index: BTreeMap<&Address, usize> =
            targets.iter().enumerate().map(|(at, one)| (one.address(), at)).collect();
        let folders = Folders::of(targets);
        let accounts = Accounts::of(targets);
        let mut edges = Vec::new();
        for (at, target) in targets.iter().enumerate() {
            add_edges_to(at, target.resource, &index, &folders, &accounts, &mut edges);
            let returning = returning_memberships(target, &accounts);
            edges.extend(returning.into_iter().map(|then| Edge { first: at, then, strength: Strength::Member }));
        }
        let early = packages_of_repositories(targets, &index);
        let gates = targets.len() + add_application_edges(targets, &early, &mut edges);
        let nodes = gates + add_repository_edges(targets, &early, gates, &mut edges);
        let mut blockers = vec![Vec::new(); targets.len()];
        for edge in &edges {
            let then = targets.get(edge.then);
            let stops = edge.strength == Strength::Parent || then.is_some_and(|then| is_required(then, edge, targets));
            if let (true, Some(list)) = (stops, blockers.get_mut(edge.then)) {
                list.push(edge.first);
            }
        }
        let mut weakest = Strength::Application;
        loop {
            let levels = level(nodes, &edges);
            let stuck: Vec<usize> = (0..nodes).filter(|node| levels.get(*node).is_none_or(Option::is_none)).collect();
            if stuck.is_empty() {
                return Ok(Order { stages: stages(&levels, targets), blockers });
            }
            if weakest == Strength::Asked {
                let named = stuck.iter().filter_map(|node| targets.get(*node)).map(|target| target.address().clone());
                return Err(CycleError(named.collect()));
            }
            edges.retain(|edge| {
                edge.strength != weakest || !(stuck.contains(&edge.first) && stuck.contains(&edge.then))
            });
            weakest = match weakest {
                Strength::Application => Strength::Repository,
                Strength::Repository => Strength::Member,
                Strength::Member => Strength::Owner,
                Strength::Owner => Strength::Parent,
                Strength::Parent | Strength::Asked => Strength::Asked,
            };
        }
    }

    /// The same order backwards, for what leaves.
    pub fn reversed(mut self) -> Order {
        self.stages.reverse();
        let mut blockers = vec![Vec::new(); self.blockers.len()];
        for (then, firsts) in self.blockers.iter().enumerate() {
            for first in firsts {
                if let Some(list) = blockers.get_mut(*first) {
                    list.push(then);
                }
            }
        }
        self.blockers = blockers;
        self
    }
}

fn is_required(then: &Ordered<'_>, edge: &Edge, targets: &[Ordered<'_>]) -> bool {
    edge.strength == Strength::Asked
        && targets.get(edge.first).is_some_and(|first| then.resource.meta.requires.contains(first.address()))
}

/// Users that a group gets back, or groups that a user does: the other side is to find what was there before.
fn returning_memberships(target: &Ordered<'_>, accounts: &Accounts<'_>) -> Vec<usize> {
    let (name, asked, others) = match &target.resource.spec {
        Spec::Group(spec) => ("members", &spec.members, &accounts.users),
        Spec::User(spec) => ("groups", &spec.groups, &accounts.groups),
        _ => return Vec::new(),
    };
    let wanted = target.wanted.and_then(|wanted| wanted.state.get(name)?.list());
    let returning = wanted.into_iter().flatten().filter(|one| !asked.iter().flatten().any(|asked| asked == *one));
    returning.filter_map(|one| others.get(one.as_str()).copied()).collect()
}

fn add_edges_to(
    at: usize,
    resource: &Resource,
    index: &BTreeMap<&Address, usize>,
    folders: &Folders<'_>,
    accounts: &Accounts<'_>,
    edges: &mut Vec<Edge>,
) {
    let meta = &resource.meta;
    let asked = [&meta.requires, &meta.restart_on, &meta.reload_on, &meta.run_on].into_iter().flatten();
    let edge = |strength| move |first: usize| Edge { first, then: at, strength };
    let before = edges.len();
    edges.extend(asked.filter_map(|address| index.get(address).copied()).map(edge(Strength::Asked)));
    edges.extend(parent_of(resource, folders).map(edge(Strength::Parent)));
    let further = resource.spec.further_paths().into_iter().filter_map(|path| folders.above(path));
    edges.extend(further.map(edge(Strength::Parent)));
    edges.extend(accounts.owners_of(resource).map(edge(Strength::Owner)));
    edges.extend(accounts.members_of(&resource.spec).map(edge(Strength::Member)));
    edges.extract_if(before.., |edge| edge.first == at).for_each(drop);
}

/// The nearest managed folder on the way to it, a link in a folder's place, or what is mounted there.
fn parent_of(resource: &Resource, folders: &Folders<'_>) -> Option<usize> {
    let address = &resource.address;
    let collection = address.collection();
    let own = Some(address.id()).filter(|_| collection.id_is_path()).or_else(|| resource.spec.own_path());
    let path = own.or_else(|| resource.spec.edited_path())?;
    // What is put on a folder comes after the folder, and before what is in it.
    let is_whole = collection.occupies_path() || matches!(collection.own_path(), OwnPath::Whole(_));
    let below = (own.is_some() && !is_whole).then(|| folders.at(path)).flatten();
    below.or_else(|| folders.above(path))
}

/// The targets that other paths may lie in, by their own.
struct Folders<'t> {
    /// Folders, and links that may lead to one.
    folders: HashMap<&'t str, usize>,
    mounts: HashMap<&'t str, usize>,
}

impl<'t> Folders<'t> {
    fn of(targets: &[Ordered<'t>]) -> Folders<'t> {
        let of = |collection| of_collection(targets, collection);
        // Of both at one path the folder counts.
        let folders = of(Collection::Links).chain(of(Collection::Directories)).collect();
        Folders { folders, mounts: of(Collection::Mounts).collect() }
    }

    fn at(&self, path: &str) -> Option<usize> {
        self.folders.get(path).copied()
    }

    /// What is mounted at the nearest folder above that is managed, or else that folder.
    fn above(&self, mut path: &str) -> Option<usize> {
        while let Some((parent, _)) = path.rsplit_once('/') {
            if let Some(found) = self.mounts.get(parent).copied().or_else(|| self.at(parent)) {
                return Some(found);
            }
            path = parent;
        }
        None
    }
}

/// The users and groups among the targets, by name.
struct Accounts<'t> {
    users: HashMap<&'t str, usize>,
    groups: HashMap<&'t str, usize>,
}

impl<'t> Accounts<'t> {
    fn of(targets: &[Ordered<'t>]) -> Accounts<'t> {
        Accounts {
            users: of_collection(targets, Collection::Users).collect(),
            groups: of_collection(targets, Collection::Groups).collect(),
        }
    }

    fn owners_of<'r>(&'r self, resource: &'r Resource) -> impl Iterator<Item = usize> + 'r {
        let NamedAccounts { users, mut groups } = resource.spec.accounts();
        // A user whose group is not named gets the one of its own name, if that is there.
        if resource.address.collection() == Collection::Users {
            groups.push(resource.address.id());
        }
        let users = users.into_iter().filter_map(|name| self.users.get(name));
        users.chain(groups.into_iter().filter_map(|name| self.groups.get(name))).copied()
    }

    /// The users that a group lists. Where both sides name each other, the group is made first.
    fn members_of<'r>(&'r self, spec: &'r Spec) -> impl Iterator<Item = usize> + 'r {
        let members = match spec {
            Spec::Group(group) => group.members.as_deref().unwrap_or_default(),
            _ => &[],
        };
        members.iter().filter_map(|name| self.users.get(name.as_str()).copied())
    }
}

/// The targets of a collection, by id.
fn of_collection<'a, 't>(
    targets: &'a [Ordered<'t>],
    collection: Collection,
) -> impl Iterator<Item = (&'t str, usize)> + use<'a, 't> {
    let of = targets.iter().enumerate().filter(move |(_, target)| target.address().collection() == collection);
    of.map(|(at, target)| (target.address().id(), at))
}

/// Packages that a repository requires or reacts to: they do not wait for repositories.
fn packages_of_repositories(targets: &[Ordered<'_>], index: &BTreeMap<&Address, usize>) -> BTreeSet<usize> {
    let asked = |target: &&Ordered<'_>| {
        let meta = &target.resource.meta;
        let lists = [&meta.requires, &meta.restart_on, &meta.reload_on, &meta.run_on];
        lists.into_iter().flatten().filter_map(|address| index.get(address).copied()).collect::<Vec<usize>>()
    };
    let repositories = targets.iter().filter(|target| class_of(target) == Some(OrderClass::Repositories));
    repositories.flat_map(|target| asked(&target)).collect()
}

/// An extra node stands for "all repositories are there"; packages wait for it, whichever application they are of. The
/// answer is how many nodes that made.
fn add_repository_edges(targets: &[Ordered<'_>], early: &BTreeSet<usize>, gate: usize, edges: &mut Vec<Edge>) -> usize {
    let of = |class: OrderClass| {
        let is_there = |target: &Ordered<'_>| target.resource.meta.state != Existence::Absent;
        let is_so = move |(_, target): &(usize, &Ordered<'_>)| class_of(target) == Some(class) && is_there(target);
        targets.iter().enumerate().filter(is_so).map(|(at, _)| at)
    };
    let before = edges.len();
    let edge = |first, then| Edge { first, then, strength: Strength::Repository };
    edges.extend(of(OrderClass::Repositories).map(|at| edge(at, gate)));
    if edges.len() == before {
        return 0;
    }
    edges.extend(of(OrderClass::Packages).filter(|at| !early.contains(at)).map(|at| edge(gate, at)));
    1
}

fn class_of(target: &Ordered<'_>) -> Option<OrderClass> {
    target.resource.spec.class()
}

/// Extra nodes for each application stand for "all of this class is there", in the order of the classes. The answer
/// is how many nodes that made.
fn add_application_edges(targets: &[Ordered<'_>], early: &BTreeSet<usize>, edges: &mut Vec<Edge>) -> usize {
    let mut applications: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, target) in targets.iter().enumerate() {
        if let Some(application) = &target.resource.application {
            applications.entry(application).or_default().push(at);
        }
    }
    let mut gates = 0;
    let mut edge = |first, then| edges.push(Edge { first, then, strength: Strength::Application });
    for members in applications.values() {
        let first_gate = targets.len() + gates;
        gates += OrderClass::ALL.len();
        for gate in 1..OrderClass::ALL.len() {
            edge(first_gate + gate - 1, first_gate + gate);
        }
        for at in members {
            let class = targets.get(*at).and_then(|target| class_of(target));
            let Some(rank) = OrderClass::ALL.iter().position(|one| Some(*one) == class) else { continue };
            edge(*at, first_gate + rank);
            if rank > 0 && !early.contains(at) {
                edge(first_gate + rank - 1, *at);
            }
        }
    }
    gates
}

/// The longest way to each node; `None` for those in or behind a circle.
fn level(nodes: usize, edges: &[Edge]) -> Vec<Option<usize>> {
    let mut followers = vec![Vec::new(); nodes];
    let mut open = vec![0_usize; nodes];
    for edge in edges {
        if let (Some(list), Some(count)) = (followers.get_mut(edge.first), open.get_mut(edge.then)) {
            list.push(edge.then);
            *count += 1;
        }
    }
    let mut levels = vec![None; nodes];
    let mut ready: Vec<usize> = (0..nodes).filter(|node| open.get(*node) == Some(&0)).collect();
    let mut stage = 0;
    while !ready.is_empty() {
        let mut next = Vec::new();
        for node in ready {
            if let Some(level) = levels.get_mut(node) {
                *level = Some(stage);
            }
            for then in followers.get(node).into_iter().flatten() {
                if let Some(count) = open.get_mut(*then) {
                    *count -= 1;
                    if *count == 0 {
                        next.push(*then);
                    }
                }
            }
        }
        ready = next;
        stage += 1;
    }
    levels
}

/// Targets by level, each stage in the order of addresses. Stages of extra nodes only fall away.
fn stages(levels: &[Option<usize>], targets: &[Ordered<'_>]) -> Vec<Vec<usize>> {
    let mut by_level: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, level) in levels.iter().enumerate().take(targets.len()) {
        by_level.entry(level.unwrap_or_default()).or_default().push(at);
    }
    let mut stages: Vec<Vec<usize>> = by_level.into_values().collect();
    for stage in &mut stages {
        stage.sort_by_key(|at| targets.get(*at).map(|target| target.address()));
    }
    stages
}
