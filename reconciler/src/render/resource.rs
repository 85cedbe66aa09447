//! Renders the resources of an application or of the layers: `each`, `when`, ids, attributes.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::ValueKind;
use muster_schema::{Address, Collection};

use super::content::render_contents;
use super::placed::{Placed, PlacedSet};
use super::record::Taint;
use super::rendering::{Rendering, Stopped};
use super::scope::Root;
use super::tree::expand_tree;
use crate::model::{Entry, Finding, Map, Node, NodeValue, Place, bad_id};
use crate::template::{is_template, value_of_node};

/// How many resources one `each` may give.
const MAX_ITEMS: usize = 10_000;

/// Where resources are written.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// The application instance; none for the layers.
    pub(super) instance: Option<Arc<str>>,
}

type Locals = Vec<(Arc<str>, Value)>;

/// Renders a tree of collection → id → attributes. Faults and missing facts are noted.
pub(super) fn render_resources(rendering: &Arc<Rendering>, resources: &Node, origin: &Origin) -> PlacedSet {
    let mut set = PlacedSet::default();
    for of_collection in resources.as_map().map_or(&[][..], Map::entries) {
        // What is no collection, or no map, is a finding of the document.
        let Ok(collection) = of_collection.key.parse::<Collection>() else { continue };
        // What is not declared is a finding of the document, too.
        let extensions = rendering.model.extensions();
        if collection.extension().is_some() && extensions.of(collection).is_none_or(|extension| extension.unread) {
            continue;
        }
        for entry in of_collection.value.as_map().map_or(&[][..], Map::entries) {
            render_entry(rendering, collection, entry, origin, &mut set);
        }
    }
    check_twice(rendering, &set);
    set
}

fn render_entry(
    rendering: &Arc<Rendering>,
    collection: Collection,
    entry: &Entry,
    origin: &Origin,
    set: &mut PlacedSet,
) {
    let mut written = Taint { documents: rendering.documents_of_entry(entry), ..Taint::default() };
    if entry.value.is_null() {
        rendering.check_outputs(collection, &entry.key, &entry.place, &written);
        let scope = Root::of_resources(rendering, origin.instance.clone(), Vec::new());
        if let Ok(address) = render_id(rendering, collection, entry, &scope) {
            set.removed.push((address, entry.place.clone()));
        }
        return;
    }
    // That it is not there is nothing that its own document brings about, unless it is taken from below.
    let own = origin.instance.is_some().then(|| entry.place.file.clone());
    if let Some(instance) = origin.instance.as_ref().and_then(|name| rendering.instances.get(name)) {
        written.documents.extend(rendering.documents_of_entry(&instance.assignment));
    }
    let check_absence = |mut taint: Taint| {
        taint.documents.retain(|document| own.as_ref() != Some(document));
        rendering.check_outputs(collection, &entry.key, &entry.place, &taint);
    };
    let (items, of_items) = match entry.value.get("each").filter(|each| !each.is_null()) {
        Some(each) => rendering.isolated(|| items_of(rendering, each, origin)),
        None => (Ok(vec![Vec::new()]), Taint::default()),
    };
    rendering.record().taint = Taint::default();
    let items = items.unwrap_or_default();
    if items.is_empty() {
        check_absence(of_items.clone());
    }
    for locals in items {
        let (rendered, mut taint) = rendering.isolated(|| {
            rendering.record().taint = of_items.clone();
            render_item(rendering, collection, entry, origin, locals, set)
        });
        match rendered {
            Ok(rendered) if rendered.is_empty() => check_absence(taint),
            Ok(mut rendered) => {
                taint.add(&written);
                for placed in &mut rendered {
                    placed.tainted |= taint.facts;
                    let address = &placed.address;
                    rendering.check_outputs(address.collection(), address.id(), &placed.place, &taint);
                }
                set.resources.append(&mut rendered);
            }
            Err(Stopped) => {}
        }
    }
    rendering.record().taint = Taint::default();
}

/// The `key` and `item` of each resource.
fn items_of(rendering: &Arc<Rendering>, each: &Node, origin: &Origin) -> Result<Vec<Locals>, Stopped> {
    let scope = Root::of_resources(rendering, origin.instance.clone(), Vec::new());
    let evaluated = rendering.evaluate_node(each, &scope)?;
    let value = value_of_node(&evaluated);
    let fault = |reason: String| rendering.fault(Finding::new(each.place.clone(), reason));
    let pairs: Vec<(Value, Value)> = match value.kind() {
        ValueKind::Map => {
            let keys = value.try_iter().map_err(|error| fault(error.to_string()))?;
            keys.map(|key| (key.clone(), value.get_item(&key).unwrap_or_default())).collect()
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().map_err(|error| fault(error.to_string()))?;
            items.enumerate().map(|(index, item)| (Value::from(index), item)).collect()
        }
        _ => return Err(fault(format!("'each' must be a list or a map, not {}", evaluated.kind()))),
    };
    if pairs.len() > MAX_ITEMS {
        return Err(fault(format!("'each' gives {} resources, more than {MAX_ITEMS}", pairs.len())));
    }
    let locals = |(key, item)| vec![(Arc::from("key"), key), (Arc::from("item"), item)];
    Ok(pairs.into_iter().map(locals).collect())
}

/// One resource, or with a source tree several; none where `when` says so.
fn render_item(
    rendering: &Arc<Rendering>,
    collection: Collection,
    entry: &Entry,
    origin: &Origin,
    locals: Locals,
    set: &mut PlacedSet,
) -> Result<Vec<Placed>, Stopped> {
    let scope = Root::of_resources(rendering, origin.instance.clone(), locals.clone());
    if !holds(rendering, entry, &scope)? {
        set.absent.extend(render_id_quietly(rendering, collection, entry, &scope));
        return Ok(Vec::new());
    }
    let address = render_id(rendering, collection, entry, &scope);
    let contents = render_contents(rendering, collection, &entry.value, origin, &locals, &scope);
    let attributes = render_attributes(rendering, collection, entry, &scope);
    let (address, contents, attributes) = (address?, contents?, attributes?);
    let tree = entry.value.get("source").filter(|_| collection == Collection::Directories);
    let placed = Placed {
        address,
        place: entry.place.clone(),
        instance: origin.instance.clone(),
        attributes,
        contents,
        tainted: false,
    };
    match tree {
        Some(source) => expand_tree(rendering, placed, source, &scope),
        None => Ok(vec![placed]),
    }
}

fn holds(rendering: &Arc<Rendering>, entry: &Entry, scope: &Value) -> Result<bool, Stopped> {
    let Some(when) = entry.value.get("when").filter(|when| !when.is_null()) else { return Ok(true) };
    let evaluated = rendering.evaluate_node(when, scope)?;
    match evaluated.value {
        NodeValue::Bool(holds) => Ok(holds),
        _ => {
            let reason = format!("'when' must be true or false, not {}", evaluated.kind());
            Err(rendering.fault(Finding::new(when.place.clone(), reason)))
        }
    }
}

/// The address of a resource. `nginx.service` means the service `nginx`.
fn render_id(
    rendering: &Arc<Rendering>,
    collection: Collection,
    entry: &Entry,
    scope: &Value,
) -> Result<Address, Stopped> {
    let id = if is_template(&entry.key) {
        let node = string_node(&entry.key, &entry.place);
        let evaluated = rendering.evaluate_node(&node, scope)?;
        match &evaluated.value {
            NodeValue::String(text) => text.text.to_string(),
            NodeValue::Integer(number) => number.to_string(),
            _ => {
                let reason = format!("an id must be a string, not {}", evaluated.kind());
                return Err(rendering.fault(Finding::new(entry.place.clone(), reason)));
            }
        }
    } else {
        entry.key.to_string()
    };
    let id = match collection {
        Collection::Services => id.strip_suffix(".service").map_or(id.clone(), str::to_owned),
        _ => id,
    };
    Address::new(collection, id).map_err(|error| {
        // The document's own check finds what is no template.
        if is_template(&entry.key) {
            return rendering.fault(bad_id(&entry.place, &error));
        }
        rendering.record().stops += 1;
        Stopped
    })
}

/// The address of a resource that is absent, if its id can be had at all.
fn render_id_quietly(
    rendering: &Arc<Rendering>,
    collection: Collection,
    entry: &Entry,
    scope: &Value,
) -> Option<Address> {
    let before = rendering.record().clone();
    let address = render_id(rendering, collection, entry, scope).ok();
    *rendering.record() = before;
    address
}

fn string_node(text: &Arc<str>, place: &Place) -> Node {
    let text = crate::model::Text { text: text.clone(), verbatim: None };
    Node::new(place.clone(), NodeValue::String(text))
}

/// All attributes but contents, `each` and `when`. One that renders to null is omitted; a null that is
/// written stays, for it removes what is below.
fn render_attributes(
    rendering: &Arc<Rendering>,
    collection: Collection,
    entry: &Entry,
    scope: &Value,
) -> Result<Node, Stopped> {
    let mut attributes = BTreeMap::new();
    let mut stopped = false;
    for attribute in entry.value.as_map().map_or(&[][..], Map::entries) {
        let name = attribute.key.as_ref();
        if matches!(name, "each" | "when") || super::content::is_content(collection, name) {
            continue;
        }
        match rendering.evaluate_node(&attribute.value, scope) {
            Ok(value) if value.is_null() && !attribute.value.is_null() => {}
            Ok(value) => {
                let value =
                    if name == "undo" && collection == Collection::Commands { without_script(&value) } else { value };
                attributes.insert(attribute.key.clone(), Entry { value, ..attribute.clone() });
            }
            Err(Stopped) => stopped = true,
        }
    }
    if stopped {
        return Err(Stopped);
    }
    let map = Map::of_sorted(attributes.into_values().collect());
    Ok(Node::new(entry.value.place.clone(), NodeValue::Map(Arc::new(map))))
}

/// `undo` without its script, which is a content.
fn without_script(undo: &Node) -> Node {
    let Some(map) = undo.as_map() else { return undo.clone() };
    let kept = map.entries().iter().filter(|entry| entry.key.as_ref() != "script");
    Node::new(undo.place.clone(), NodeValue::Map(Arc::new(Map::of_sorted(kept.cloned().collect()))))
}

/// Two ids of one application, or of the layers, that render alike are a finding.
fn check_twice(rendering: &Rendering, set: &PlacedSet) {
    let mut first: BTreeMap<&Address, &Placed> = BTreeMap::new();
    for placed in &set.resources {
        if let Some(other) = first.insert(&placed.address, placed) {
            let reason = format!("{} is rendered twice, also at {}", placed.address, other.place);
            let scope = rendering.scope_of(placed.tainted || other.tainted);
            rendering.record().find(Finding::new(placed.place.clone(), reason).with_scope(scope));
        }
    }
}
