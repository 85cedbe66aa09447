//! Checks `resources` as they are written, before anything is rendered.

use std::collections::HashMap;
use std::sync::LazyLock;

use muster_schema::address::AddressError;
use muster_schema::document::{RESERVED_COLLECTIONS, attributes_schema};
use muster_schema::{Address, Collection};

use super::node::Entry;
use super::{Finding, Node, Place, Shape, Templates, did_you_mean};
use crate::template::is_template;

/// The shape of a collection's attributes; of one that is not built in, its declaration knows it.
pub(crate) fn attributes_shape(collection: Collection) -> &'static Shape {
    static SHAPES: LazyLock<HashMap<Collection, Shape>> = LazyLock::new(|| {
        let shape = |collection| (collection, Shape::of_schema(&attributes_schema(collection)));
        Collection::ALL.into_iter().map(shape).collect()
    });
    static ANYTHING: LazyLock<Shape> = LazyLock::new(Shape::default);
    SHAPES.get(&collection).unwrap_or(&ANYTHING)
}

/// Whether null means something: it removes what a lower layer says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lowest {
    /// An application: there is nothing below it.
    Yes,
    /// A layer.
    No,
}

/// Adds a finding for each fault of a document's `resources`.
pub(super) fn check_resources(resources: &Node, lowest: Lowest, found: &mut Vec<Finding>) {
    for entry in resources.as_map().map_or(&[][..], |map| map.entries()) {
        let Ok(collection) = entry.key.parse::<Collection>() else {
            found.push(unknown_collection(entry));
            continue;
        };
        match entry.value.as_map() {
            Some(ids) => ids.entries().iter().for_each(|id| check_resource(collection, id, lowest, found)),
            None if entry.value.is_null() && lowest == Lowest::No => {}
            None => {
                let reason = format!("'{collection}' must be a map of ids, not {}", entry.value.kind());
                found.push(Finding::new(entry.value.place.clone(), reason));
            }
        }
    }
}

fn unknown_collection(entry: &Entry) -> Finding {
    let name = entry.key.as_ref();
    if RESERVED_COLLECTIONS.contains(&name) {
        return Finding::new(entry.place.clone(), format!("resources of type '{name}' are not supported yet"));
    }
    let finding = Finding::new(entry.place.clone(), format!("unknown type of resource '{name}'"));
    let known = Collection::names().chain(RESERVED_COLLECTIONS);
    match did_you_mean(name, known) {
        Some(hint) => finding.with_hint(hint),
        None => finding,
    }
}

/// The fault of an id that is none.
pub(crate) fn bad_id(place: &Place, error: &AddressError) -> Finding {
    let finding = Finding::new(place.clone(), error.to_string());
    match error.hint() {
        Some(hint) => finding.with_hint(hint),
        None => finding,
    }
}

fn check_resource(collection: Collection, entry: &Entry, lowest: Lowest, found: &mut Vec<Finding>) {
    if !is_template(&entry.key)
        && let Err(error) = Address::new(collection, entry.key.as_ref())
    {
        found.push(bad_id(&entry.place, &error));
    }
    let attributes = &entry.value;
    match attributes.as_map() {
        Some(map) => {
            let what = format!("'{}'", entry.key);
            attributes_shape(collection).check(attributes, &what, Templates::Allowed, found);
            let sources = ["content", "source", "template"];
            let sources = sources.iter().filter(|_| collection.extension().is_none());
            let given = sources.filter_map(|name| map.entry(name)).filter(|entry| !entry.value.is_null());
            if let Some(second) = given.skip(1).last() {
                let reason = "only one of 'content', 'source' and 'template' can be given";
                found.push(Finding::new(second.place.clone(), reason));
            }
        }
        None if attributes.is_null() && lowest == Lowest::No => {}
        None => {
            let reason = format!("'{}' must be a map of attributes, not {}", entry.key, attributes.kind());
            let finding = Finding::new(attributes.place.clone(), reason);
            found.push(if attributes.is_null() { finding.with_hint("write {}") } else { finding });
        }
    }
}
