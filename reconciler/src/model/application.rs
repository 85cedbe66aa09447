//! Applications: parameters, values and resources, checked.

use std::collections::BTreeMap;
use std::sync::Arc;

use muster_schema::document::{ParameterDocument, RESERVED_PARAMETERS};

use super::document::Document;
use super::node::Entry;
use super::{Finding, Node, Place, Shape, Templates};

/// A reusable description.
#[derive(Debug)]
pub struct Application {
    /// Its name, that of its folder.
    pub name: Arc<str>,
    /// What may be set.
    pub parameters: BTreeMap<Arc<str>, Parameter>,
    /// Names computed once: a map.
    pub values: Node,
    /// Collection → id → attributes.
    pub resources: Node,
    /// Its file is not well-formed: what it says is not known.
    pub unread: bool,
}

/// What may be set.
#[derive(Debug)]
pub struct Parameter {
    /// What a value must be.
    pub shape: Shape,
    /// The value where none is given.
    pub default: Option<Node>,
    /// Whether a value must be given.
    pub required: bool,
    /// Where it is declared.
    pub place: Place,
}

impl Application {
    /// The application that a document describes, and its faults beyond those of the document's form.
    pub(super) fn of_document(name: Arc<str>, document: &Document, found: &mut Vec<Finding>) -> Application {
        let root = &document.root;
        let map = |name: &str| {
            let given = root.get(name).filter(|node| node.as_map().is_some());
            given.cloned().unwrap_or_else(|| Node::empty_map(root.place.clone()))
        };
        let mut parameters = BTreeMap::new();
        for entry in map("parameters").as_map().map_or(&[][..], |map| map.entries()) {
            check_name(entry, "parameter", found);
            if let Some(parameter) = load_parameter(entry, found) {
                parameters.insert(entry.key.clone(), parameter);
            }
        }
        let values = map("values");
        for entry in values.as_map().map_or(&[][..], |map| map.entries()) {
            check_name(entry, "value", found);
            if let Some(parameter) = parameters.get(&entry.key) {
                let reason = format!("the value '{}' has the name of a parameter, at {}", entry.key, parameter.place);
                found.push(Finding::new(entry.place.clone(), reason));
            }
        }
        Application { name, parameters, values, resources: map("resources"), unread: document.unread }
    }
}

fn load_parameter(entry: &Entry, found: &mut Vec<Finding>) -> Option<Parameter> {
    // What does not fit the type is a finding of the document already.
    let declared: ParameterDocument = serde_json::from_value(entry.value.to_json()).ok()?;
    let shape = load_shape(&declared, entry, found)?;
    let default = entry.value.get("default").filter(|node| !node.is_null()).cloned();
    if let Some(default) = &default {
        let what = format!("the default of '{}'", entry.key);
        shape.check(default, &what, Templates::Allowed, found);
        if declared.required {
            let reason = format!("'{}' is required, so its default has no use", entry.key);
            found.push(Finding::new(default.place.clone(), reason));
        }
    }
    Some(Parameter { shape, default, required: declared.required, place: entry.place.clone() })
}

/// The shape that a declaration describes; a pattern that is none is a finding.
pub(super) fn load_shape(declared: &ParameterDocument, entry: &Entry, found: &mut Vec<Finding>) -> Option<Shape> {
    match Shape::of_parameter(declared) {
        Ok(shape) => Some(shape),
        Err(error) => {
            let place = entry.value.get("pattern").map_or(&entry.place, |node| &node.place);
            let error = error.to_string();
            let last = error.lines().last().unwrap_or_default().trim();
            let last = last.strip_prefix("error: ").unwrap_or(last);
            found.push(Finding::new(place.clone(), format!("the pattern is no regular expression: {last}")));
            None
        }
    }
}

/// Names that templates use are words: letters, digits and underscores.
fn check_name(entry: &Entry, what: &str, found: &mut Vec<Finding>) {
    let name = entry.key.as_ref();
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !starts || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        let reason = format!("'{name}' cannot be the name of a {what}");
        found.push(Finding::new(entry.place.clone(), reason).with_hint("use letters, digits and '_'"));
    } else if RESERVED_PARAMETERS.contains(&name) {
        let reason = format!("'{name}' cannot be the name of a {what}, for it has a meaning already");
        found.push(Finding::new(entry.place.clone(), reason));
    }
}
