//! Layers: what the fleet, profiles, environments and hosts say.

use std::collections::BTreeMap;
use std::sync::Arc;

use muster_schema::resource::Enforcement;

use super::merge::merge;
use super::node::{Entry, Map, NodeValue};
use super::{Finding, Node, Place};

/// What one layer, or several merged, say. All trees are maps; null in them removes.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Instance → `{use: application}`, or null.
    pub assignments: Node,
    /// Application → parameter → value, with the values given by `applications`; free settings beside.
    pub settings: Node,
    /// Collection → id → attributes.
    pub resources: Node,
    /// Address → exception; hosts only.
    pub exceptions: Node,
    /// What agents do about differences.
    pub mode: Option<Enforcement>,
}

impl Layer {
    /// A layer that says nothing.
    pub fn empty(place: &Place) -> Layer {
        let empty = Node::empty_map(place.clone());
        Layer {
            assignments: empty.clone(),
            settings: empty.clone(),
            resources: empty.clone(),
            exceptions: empty,
            mode: None,
        }
    }

    /// The layer that a document describes. A parameter that it gives twice is a finding.
    pub(super) fn of_document(root: &Node, found: &mut Vec<Finding>) -> Layer {
        let map = |name: &str| {
            let given = root.get(name).filter(|node| node.as_map().is_some());
            given.cloned().unwrap_or_else(|| Node::empty_map(root.place.clone()))
        };
        let applications = map("applications");
        let (mut assignments, mut given) = (Vec::new(), Vec::new());
        for entry in applications.as_map().map_or(&[][..], |map| map.entries()) {
            assignments.push(Entry { value: assignment(entry), ..entry.clone() });
            if let Some(values) = entry.value.as_map() {
                let values = values.entries().iter().filter(|value| value.key.as_ref() != "use");
                let values = Map::of_sorted(values.cloned().collect());
                let value = Node::new(entry.value.place.clone(), NodeValue::Map(Arc::new(values)));
                given.push(Entry { value, ..entry.clone() });
            }
        }
        let settings = map("settings");
        let given = Node::new(applications.place.clone(), NodeValue::Map(Arc::new(Map::of_sorted(given))));
        check_given_once(&settings, &given, found);
        let assignments = NodeValue::Map(Arc::new(Map::of_sorted(assignments)));
        let mode = root.get("mode").and_then(|mode| serde_json::from_value(mode.to_json()).ok());
        Layer {
            assignments: Node::new(applications.place.clone(), assignments),
            settings: merge(&given, &settings),
            resources: map("resources"),
            exceptions: map("exceptions"),
            mode,
        }
    }

    /// This layer with another over it.
    #[must_use]
    pub fn under(&self, over: &Layer) -> Layer {
        Layer {
            assignments: merge(&self.assignments, &over.assignments),
            settings: merge(&self.settings, &over.settings),
            resources: merge(&self.resources, &over.resources),
            exceptions: merge(&self.exceptions, &over.exceptions),
            mode: over.mode.or(self.mode),
        }
    }
}

/// An assignment without its values: null, or at most `{use: application}`.
fn assignment(entry: &Entry) -> Node {
    match entry.value.as_map() {
        Some(values) => {
            let used = values.entry("use").cloned();
            let used = Map::of_sorted(used.into_iter().collect());
            Node::new(entry.place.clone(), NodeValue::Map(Arc::new(used)))
        }
        None => Node::new(entry.value.place.clone(), NodeValue::Null),
    }
}

fn check_given_once(settings: &Node, given: &Node, found: &mut Vec<Finding>) {
    for entry in given.as_map().map_or(&[][..], |map| map.entries()) {
        let Some(set) = settings.get(&entry.key).and_then(Node::as_map) else { continue };
        for parameter in entry.value.as_map().map_or(&[][..], |map| map.entries()) {
            if let Some(other) = set.entry(&parameter.key) {
                let what = format!("'{}.{}'", entry.key, parameter.key);
                let reason =
                    format!("{what} is given twice, also under 'applications' in line {}", parameter.place.line);
                found.push(Finding::new(other.place.clone(), reason));
            }
        }
    }
}

/// Labels of an environment or host: what is no string is a finding of the document already.
pub(super) fn labels_of(root: &Node) -> BTreeMap<Arc<str>, Arc<str>> {
    let labels = root.get("labels").and_then(Node::as_map).map_or(&[][..], |map| map.entries());
    let label = |entry: &Entry| Some((entry.key.clone(), Arc::from(entry.value.as_str()?)));
    labels.iter().filter_map(label).collect()
}
