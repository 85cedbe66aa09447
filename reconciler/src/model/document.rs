//! Loads one document and finds all its faults.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use muster_schema::document::{
    ApplicationDocument, EnvironmentDocument, ExtensionDocument, FleetDocument, HostDocument, ProfileDocument,
    RecipientsDocument, TokenDocument, document_schema,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::exceptions::check_exceptions;
use super::layer::labels_of;
use super::resources::{Lowest, check_resources};
use super::{Finding, Layer, Node, NodeValue, Place, Shape, Templates, load_yaml};
use crate::template;

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Fleet,
    Profile,
    Environment,
    Host,
    Application,
    Extension,
    Recipients,
    Token,
}

/// A document: a map, empty where the file is not well-formed, what it comes to, and its faults.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) root: Node,
    pub(super) found: Vec<Finding>,
    /// Nothing of what the file says is known.
    pub(super) unread: bool,
    /// What it says as a layer; an application and an extension say nothing so.
    pub(super) layer: Arc<Layer>,
    /// The labels that it gives.
    pub(super) labels: BTreeMap<Arc<str>, Arc<str>>,
}

impl Document {
    fn new(kind: Kind, root: Node, mut found: Vec<Finding>) -> Document {
        let layer = match kind {
            Kind::Application | Kind::Extension | Kind::Recipients | Kind::Token => Layer::empty(&root.place),
            _ => Layer::of_document(&root, &mut found),
        };
        Document { layer: Arc::new(layer), labels: labels_of(&root), root, found, unread: false }
    }

    /// A document that says nothing, with what was found instead.
    pub(super) fn empty(kind: Kind, path: &str, found: Vec<Finding>) -> Document {
        let unread = !found.is_empty();
        Document { unread, ..Document::new(kind, Node::empty_map(Place::start_of(path)), found) }
    }
}

/// Loads the document in the file at `path`.
pub(super) fn load_document(kind: Kind, path: &Arc<str>, bytes: &[u8], templates: &template::Templates) -> Document {
    let root = match load_yaml(path, bytes) {
        Ok(root) if root.is_null() => Node::empty_map(Place::start_of(path)),
        Ok(root) => root,
        Err(found) => return Document::empty(kind, path, found),
    };
    if root.as_map().is_none() {
        let reason = format!("the document must be a map, not {}", root.kind());
        return Document::empty(kind, path, vec![Finding::new(root.place.clone(), reason)]);
    }
    let mut found = Vec::new();
    shape_of(kind).check(&root, "the document", Templates::Rendered, &mut found);
    if found.is_empty() {
        found.extend(check_types(kind, &root));
    }
    if let Some(resources) = root.get("resources") {
        let lowest = if kind == Kind::Application { Lowest::Yes } else { Lowest::No };
        check_resources(resources, lowest, &mut found);
    }
    if let Some(exceptions) = root.get("exceptions") {
        check_exceptions(exceptions, &mut found);
    }
    for part in ["exceptions", "applications", "settings", "resources", "values", "parameters"] {
        if let Some(part) = root.get(part) {
            check_templates(part, templates, &mut found);
        }
    }
    Document::new(kind, root, found)
}

fn shape_of(kind: Kind) -> &'static Shape {
    macro_rules! shape {
        ($document:ty) => {{
            static SHAPE: LazyLock<Shape> = LazyLock::new(|| Shape::of_schema(&document_schema::<$document>()));
            &SHAPE
        }};
    }
    match kind {
        Kind::Fleet => shape!(FleetDocument),
        Kind::Profile => shape!(ProfileDocument),
        Kind::Environment => shape!(EnvironmentDocument),
        Kind::Host => shape!(HostDocument),
        Kind::Application => shape!(ApplicationDocument),
        Kind::Extension => shape!(ExtensionDocument),
        Kind::Recipients => shape!(RecipientsDocument),
        Kind::Token => shape!(TokenDocument),
    }
}

/// Serde has the last word: what a schema cannot say, the types do.
fn check_types(kind: Kind, root: &Node) -> Option<Finding> {
    let fault: fn(Value) -> Option<String> = match kind {
        Kind::Fleet => fault_of::<FleetDocument>,
        Kind::Profile => fault_of::<ProfileDocument>,
        Kind::Environment => fault_of::<EnvironmentDocument>,
        Kind::Host => fault_of::<HostDocument>,
        Kind::Application => fault_of::<ApplicationDocument>,
        Kind::Extension => fault_of::<ExtensionDocument>,
        Kind::Recipients => fault_of::<RecipientsDocument>,
        Kind::Token => fault_of::<TokenDocument>,
    };
    let reason = fault(root.to_json())?;
    let entries = root.as_map().map_or(&[][..], |map| map.entries());
    let at_fault = entries.iter().find(|entry| {
        let one = serde_json::json!({entry.key.as_ref(): entry.value.to_json()});
        fault(one).is_some_and(|other| other == reason)
    });
    let place = at_fault.map_or(&root.place, |entry| &entry.value.place);
    Some(Finding::new(place.clone(), reason))
}

fn fault_of<T: DeserializeOwned>(value: Value) -> Option<String> {
    serde_json::from_value::<T>(value).err().map(|error| error.to_string())
}

/// Adds a finding for each template, in a value or an id, that does not compile.
fn check_templates(node: &Node, templates: &template::Templates, found: &mut Vec<Finding>) {
    match &node.value {
        NodeValue::String(text) if template::is_template(&text.text) => {
            if let Err(fault) = templates.string(&text.text) {
                found.push(Finding::new(node.place_in_text(fault.offset), fault.reason));
            }
        }
        NodeValue::List(items) => items.iter().for_each(|item| check_templates(item, templates, found)),
        NodeValue::Map(map) => {
            for entry in map.entries() {
                if template::is_template(&entry.key)
                    && let Err(fault) = templates.string(&entry.key)
                {
                    found.push(Finding::new(entry.place.clone(), fault.reason));
                }
                check_templates(&entry.value, templates, found);
            }
        }
        _ => {}
    }
}
