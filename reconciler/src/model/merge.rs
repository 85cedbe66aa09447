//! One merge for all layers: JSON merge patch. Maps by key, scalars and lists replace, null removes.

use std::sync::Arc;

use super::node::{Entry, Map, NodeValue};
use super::{Finding, Node};

/// Lays `over` over `base`. Nulls stay in the result, so that it can still remove
/// what a deeper layer, or an application, says.
pub fn merge(base: &Node, over: &Node) -> Node {
    let (Some(below), Some(above)) = (base.as_map(), over.as_map()) else {
        return over.clone();
    };
    if below.entries().is_empty() {
        return over.clone();
    }
    if above.entries().is_empty() {
        return base.clone();
    }
    let entries = join(below, above, |below, above| Entry {
        key: above.key.clone(),
        place: above.place.clone(),
        value: merge(&below.value, &above.value),
    });
    Node::new(over.place.clone(), NodeValue::Map(Arc::new(entries)))
}

/// Puts two maps of equal rank together. Where they disagree, `disagreement` makes a finding of the two.
pub(super) fn unite(first: &Node, second: &Node, path: &str, disagreement: &mut dyn FnMut(&str, &Node, &Node)) -> Node {
    match (first.as_map(), second.as_map()) {
        (Some(one), Some(other)) => {
            let entries = join(one, other, |one, other| {
                let path = if path.is_empty() { one.key.to_string() } else { format!("{path}.{}", one.key) };
                Entry { value: unite(&one.value, &other.value, &path, disagreement), ..one.clone() }
            });
            Node::new(first.place.clone(), NodeValue::Map(Arc::new(entries)))
        }
        _ => {
            if first.to_json() != second.to_json() {
                disagreement(path, first, second);
            }
            first.clone()
        }
    }
}

/// All entries of both maps; `both` decides where a key is in both.
fn join(one: &Map, other: &Map, mut both: impl FnMut(&Entry, &Entry) -> Entry) -> Map {
    let mut entries = Vec::with_capacity(one.entries().len() + other.entries().len());
    let (mut left, mut right) = (one.entries().iter().peekable(), other.entries().iter().peekable());
    loop {
        match (left.peek(), right.peek()) {
            (Some(a), Some(b)) if a.key == b.key => {
                entries.push(both(a, b));
                left.next();
                right.next();
            }
            (Some(a), Some(b)) if a.key < b.key => {
                entries.push((*a).clone());
                left.next();
            }
            (_, Some(b)) => {
                entries.push((*b).clone());
                right.next();
            }
            (Some(a), None) => {
                entries.push((*a).clone());
                left.next();
            }
            (None, None) => return Map::of_sorted(entries),
        }
    }
}

/// The tree without the keys that are null: what a chain of patches comes to.
#[must_use]
pub fn without_nulls(node: &Node) -> Node {
    match node.as_map() {
        Some(map) if has_null(node) => {
            let kept = map.entries().iter().filter(|entry| !entry.value.is_null());
            let entries = kept.map(|entry| Entry { value: without_nulls(&entry.value), ..entry.clone() });
            Node::new(node.place.clone(), NodeValue::Map(Arc::new(Map::of_sorted(entries.collect()))))
        }
        _ => node.clone(),
    }
}

fn has_null(node: &Node) -> bool {
    let within = |entry: &Entry| entry.value.is_null() || has_null(&entry.value);
    node.as_map().is_some_and(|map| map.entries().iter().any(within))
}

/// The finding for two documents of one level that say different things.
pub(super) fn disagreement(what: &str, first: &Node, second: &Node) -> Finding {
    let reason = format!("{what} is {} here, and something else at {}", brief(second), first.place);
    Finding::new(second.place.clone(), reason)
}

/// A value for a sentence, cut where it is long.
pub(crate) fn brief(node: &Node) -> String {
    let text = match node.as_str() {
        Some(text) => format!("'{text}'"),
        None => node.to_json().to_string(),
    };
    match text.char_indices().nth(60) {
        Some((cut, _)) => format!("{}…", text.get(..cut).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests;
