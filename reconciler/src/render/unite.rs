//! One host set from the resources of its applications and layers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use muster_schema::resource::OwnPath;
use muster_schema::{Address, Collection};

use super::placed::{Placed, PlacedSet};
use super::rendering::Rendering;
use crate::model::{Entry, Finding, Map, Node, NodeValue, brief, merge, without_nulls};

/// Lists of edges: from two applications they unite.
const EDGES: [&str; 4] = ["reload_on", "requires", "restart_on", "run_on"];

/// The resources of a host by address, and what `when` takes away from it, by instance.
pub(super) struct HostSet {
    pub(super) resources: BTreeMap<Address, Placed>,
    pub(super) absent: BTreeMap<Option<Arc<str>>, BTreeSet<Address>>,
}

/// Puts applications together and lays the layers over them.
pub(super) fn unite(rendering: &Rendering, applications: Vec<(Arc<str>, PlacedSet)>, layers: PlacedSet) -> HostSet {
    let mut host_set = HostSet { resources: BTreeMap::new(), absent: BTreeMap::new() };
    for (instance, set) in applications {
        for placed in set.resources {
            match host_set.resources.remove(&placed.address) {
                Some(other) if other.instance != placed.instance => {
                    let united = unite_two(rendering, other, placed);
                    host_set.resources.insert(united.address.clone(), united);
                }
                _ => {
                    host_set.resources.insert(placed.address.clone(), placed);
                }
            }
        }
        host_set.absent.insert(Some(instance), set.absent);
    }
    lay_layers_over(rendering, &mut host_set, layers);
    host_set
}

fn lay_layers_over(rendering: &Rendering, host_set: &mut HostSet, layers: PlacedSet) {
    for (address, place) in layers.removed {
        if host_set.resources.remove(&address).is_none() {
            let reason = format!("null takes {address} away, but neither an application nor a lower layer gives it");
            let scope = rendering.scope_of(host_set.resources.values().any(|placed| placed.tainted));
            let finding = Finding::new(place, reason).with_hint("write {} to manage it");
            rendering.record().find(finding.with_scope(scope));
        }
    }
    for address in &layers.absent {
        host_set.resources.remove(address);
    }
    for placed in layers.resources {
        let over = match host_set.resources.remove(&placed.address) {
            Some(below) => lay_over(below, placed),
            None => placed,
        };
        host_set.resources.insert(over.address.clone(), over);
    }
    host_set.absent.insert(None, layers.absent);
    for placed in host_set.resources.values_mut() {
        placed.attributes = without_nulls(&placed.attributes);
    }
}

/// A resource with the attributes of another over its own.
pub(super) fn lay_over(below: Placed, over: Placed) -> Placed {
    let mut contents = below.contents;
    contents.extend(over.contents);
    Placed {
        attributes: merge(&below.attributes, &over.attributes),
        contents,
        tainted: below.tainted || over.tainted,
        instance: below.instance,
        ..over
    }
}

/// One address from two applications: equal or disjoint attributes and edges unite, the rest is a finding.
fn unite_two(rendering: &Rendering, first: Placed, second: Placed) -> Placed {
    let tainted = first.tainted || second.tainted;
    let tell = |what: &str, one: &Node, other: &Node| {
        let reason =
            format!("{} of {} is {} here, and {} at {}", what, second.address, brief(other), brief(one), one.place);
        let finding = Finding::new(other.place.clone(), reason);
        let finding = finding.with_hint("settle it in the 'resources' of a layer, which stand over applications");
        rendering.record().find(finding.with_scope(rendering.scope_of(tainted)));
    };
    let mut entries: BTreeMap<Arc<str>, Entry> = BTreeMap::new();
    for entry in first.map().into_iter().chain(second.map()).flat_map(Map::entries) {
        let united = match entries.remove(&entry.key) {
            Some(other) if EDGES.contains(&entry.key.as_ref()) => {
                let both = [&other.value, &entry.value];
                let items = both.iter().filter_map(|node| node.as_list()).flatten().cloned().collect();
                Entry { value: Node::new(other.value.place.clone(), NodeValue::List(items)), ..other }
            }
            Some(other) => {
                if other.value.to_json() != entry.value.to_json() {
                    tell(&format!("'{}'", entry.key), &other.value, &entry.value);
                }
                other
            }
            None => entry.clone(),
        };
        entries.insert(entry.key.clone(), united);
    }
    let mut contents = first.contents.clone();
    for (slot, content) in &second.contents {
        match contents.get(slot) {
            Some(other) if !other.content.is(&content.content) => {
                let reason = format!("'{slot}' of {} differs from that at {}", second.address, other.place);
                let finding = Finding::new(content.place.clone(), reason).with_scope(rendering.scope_of(tainted));
                rendering.record().find(finding);
            }
            _ => {
                contents.insert(slot, content.clone());
            }
        }
    }
    let attributes = Map::of_sorted(entries.into_values().collect());
    let attributes = Node::new(first.attributes.place.clone(), NodeValue::Map(Arc::new(attributes)));
    Placed { attributes, contents, tainted, ..first }
}

/// Two names of one thing would fight.
pub(super) fn check_names(rendering: &Rendering, host_set: &HostSet) {
    let mut things: BTreeMap<Address, &Placed> = BTreeMap::new();
    for placed in host_set.resources.values() {
        if let Some(other) = things.insert(placed.address.folded(), placed) {
            let reason = format!("{} is the same as {}, at {}", placed.address, other.address, other.place);
            let scope = rendering.scope_of(placed.tainted || other.tainted);
            rendering.record().find(Finding::new(placed.place.clone(), reason).with_scope(scope));
        }
    }
}

/// One path belongs to one resource, nothing lies below a file, and nobody else edits one.
pub(super) fn check_paths(rendering: &Rendering, host_set: &HostSet) {
    let mut paths: BTreeMap<String, &Placed> = BTreeMap::new();
    let tell = |placed: &Placed, other: &Placed, reason: String| {
        let scope = rendering.scope_of(placed.tainted || other.tainted);
        rendering.record().find(Finding::new(placed.place.clone(), reason).with_scope(scope));
    };
    for placed in host_set.resources.values() {
        let own = placed.address.collection().own_path();
        let at = own.attribute().and_then(|name| text_of(placed, name));
        let is_whole = matches!(own, OwnPath::Whole(_));
        let further = placed.address.collection().further_paths().iter().filter_map(|name| text_of(placed, name));
        let at = at.filter(|_| is_whole).into_iter().chain(further).map(str::to_owned);
        for path in placed.address.paths().into_iter().chain(at) {
            if let Some(other) = paths.insert(path, placed) {
                let reason = format!("{} has the path of {}, at {}", placed.address, other.address, other.place);
                tell(placed, other, reason);
            }
        }
    }
    for placed in host_set.resources.values().filter(|placed| placed.address.collection().edits_file()) {
        let path = text_of(placed, "path");
        if let Some(other) = path.and_then(|path| paths.get(path)) {
            let reason =
                format!("{} edits {}, which is managed as a whole, at {}", placed.address, other.address, other.place);
            tell(placed, other, reason);
        }
    }
    let is_file = |placed: &Placed| !matches!(placed.address.collection(), Collection::Directories | Collection::Links);
    for (path, placed) in &paths {
        let above = path.match_indices('/').filter_map(|(index, _)| paths.get(path.get(..index)?));
        for other in above.filter(|other| is_file(other)) {
            let reason =
                format!("{} lies below {}, which is a file, at {}", placed.address, other.address, other.place);
            tell(placed, other, reason);
        }
    }
}

fn text_of<'a>(placed: &'a Placed, attribute: &str) -> Option<&'a str> {
    placed.map().and_then(|map| map.entry(attribute)).and_then(|entry| entry.value.as_str())
}
