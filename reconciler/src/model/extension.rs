//! Declared collections: who provides them, and what their resources may say.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use muster_schema::address::is_clean_absolute;
use muster_schema::document::{ExtensionDocument, ExtensionIds, ParameterDocument, ParameterType, attributes_schema};
use muster_schema::resource::{ExtensionProvider, ExtensionSpec, OrderClass};
use muster_schema::{Collection, ExtensionName};

use super::application::{Parameter, load_shape};
use super::document::Document;
use super::node::{Entry, Map};
use super::{Finding, Node, Place, Shape, Templates};

/// A collection that the repository declares.
#[derive(Debug)]
pub struct Extension {
    /// Its name, that of its file.
    pub name: ExtensionName,
    /// Who provides it; none where the document does not say, or says it twice.
    provider: Option<ExtensionProvider>,
    id_argument: Option<String>,
    ids: ExtensionIds,
    /// What its resources come after in an application, and before.
    pub order: Option<OrderClass>,
    attributes: BTreeMap<Arc<str>, Parameter>,
    /// What a resource of it may say, as it is written.
    pub(super) shape: Shape,
    /// Its file is not well-formed, or names no provider: what resources may say is not known.
    pub(crate) unread: bool,
    /// Tells one form of the document from another.
    pub(crate) digest: u64,
}

impl Extension {
    /// The collection that a document declares, and its faults beyond those of the document's form.
    pub(super) fn of_document(name: ExtensionName, document: &Document, found: &mut Vec<Finding>) -> Extension {
        let root = &document.root;
        // What does not fit the type is a finding of the document already.
        let declared = serde_json::from_value::<ExtensionDocument>(root.to_json());
        let faulty = document.unread || declared.is_err();
        let declared = declared.unwrap_or_default();
        let provider = load_provider(&declared, root, faulty, found);
        if declared.id_argument.is_none() && matches!(provider, Some(ExtensionProvider::Ansible(_))) {
            let finding = Finding::new(root.place.clone(), "a module of Ansible needs 'id_argument'");
            found.push(finding.with_hint("name the argument that takes the id, as in id_argument: name"));
        }
        let mut shape = Shape::of_schema(&attributes_schema(Collection::Extension(name)));
        let mut attributes = BTreeMap::new();
        let written = root.get("attributes").and_then(Node::as_map).map_or(&[][..], Map::entries);
        for entry in written {
            if shape.property_names().any(|known| known == entry.key.as_ref()) {
                let reason =
                    format!("'{}' cannot be the name of an attribute, for it has a meaning already", entry.key);
                found.push(Finding::new(entry.place.clone(), reason));
            } else if let Some(attribute) = load_attribute(entry, found) {
                attributes.insert(entry.key.clone(), attribute);
            }
        }
        for (name, attribute) in &attributes {
            shape.allow(name, attribute.shape.clone());
        }
        Extension {
            name,
            unread: faulty || provider.is_none(),
            provider,
            id_argument: declared.id_argument,
            ids: declared.ids,
            order: declared.order,
            attributes,
            shape,
            digest: digest_of(root),
        }
    }

    /// Whether an id is of the declared form. What every id must be is checked elsewhere.
    pub(crate) fn takes_id(&self, id: &str) -> Result<(), String> {
        if self.ids == ExtensionIds::Path && !is_clean_absolute(id) {
            return Err(format!(
                "{}: '{id}' is not a clean absolute path; it must start with '/', and have no '//', '.', '..' or '/' at the end",
                self.name
            ));
        }
        Ok(())
    }

    /// Whether ids are paths.
    pub(crate) fn has_paths(&self) -> bool {
        self.ids == ExtensionIds::Path
    }

    /// What a rendered resource may say.
    pub(crate) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The attributes of a resource, with defaults; the names of those that are missing.
    ///
    /// # Errors
    /// When attributes are missing: with their names. None are missing of what is to be absent.
    pub(crate) fn spec_of(&self, given: &Map, absent: bool) -> Result<ExtensionSpec, Vec<String>> {
        let mut attributes = serde_json::Map::new();
        let mut missing = Vec::new();
        for (name, attribute) in &self.attributes {
            let value = given.get(name).or(attribute.default.as_ref().filter(|_| !absent));
            match value.filter(|value| !value.is_null()) {
                Some(value) => _ = attributes.insert(name.to_string(), value.to_json()),
                None if attribute.required && !absent => missing.push(name.to_string()),
                None => {}
            }
        }
        if !missing.is_empty() {
            return Err(missing);
        }
        // A document without a provider is faulty, and nothing of it is published.
        let provider = self.provider.clone().unwrap_or(ExtensionProvider::Plugin(String::new()));
        let collection = self.name;
        Ok(ExtensionSpec { collection, provider, id_argument: self.id_argument.clone(), order: self.order, attributes })
    }
}

/// The one provider that a document names.
fn load_provider(
    declared: &ExtensionDocument,
    root: &Node,
    faulty: bool,
    found: &mut Vec<Finding>,
) -> Option<ExtensionProvider> {
    let given = [
        ("plugin", declared.plugin.clone().map(ExtensionProvider::Plugin)),
        ("dsc", declared.dsc.clone().map(ExtensionProvider::Dsc)),
        ("ansible", declared.ansible.clone().map(ExtensionProvider::Ansible)),
    ];
    let mut given = given.into_iter().filter_map(|(key, provider)| Some((key, provider?)));
    let place_of = |key: &str| root.get(key).map_or(&root.place, |node| &node.place).clone();
    let Some((key, provider)) = given.next() else {
        if !faulty {
            let finding = Finding::new(root.place.clone(), "nothing says who provides the collection");
            found.push(finding.with_hint("write one of plugin, dsc and ansible, as in plugin: NAME"));
        }
        return None;
    };
    if let Some((second, _)) = given.next() {
        found.push(Finding::new(place_of(second), "only one of 'plugin', 'dsc' and 'ansible' can be given"));
        return None;
    }
    if let Some(fault) = provider.fault() {
        found.push(Finding::new(place_of(key), fault));
        return None;
    }
    Some(provider)
}

fn load_attribute(entry: &Entry, found: &mut Vec<Finding>) -> Option<Parameter> {
    let declared: ParameterDocument = serde_json::from_value(entry.value.to_json()).ok()?;
    if let Some((place, reason)) = unfit(&declared, &entry.value) {
        found.push(Finding::new(place, reason));
        return None;
    }
    let shape = load_shape(&declared, entry, found)?;
    let default = entry.value.get("default").filter(|node| !node.is_null()).cloned();
    if let Some(default) = &default {
        shape.check(default, &format!("the default of '{}'", entry.key), Templates::Rendered, found);
        if declared.required {
            let reason = format!("'{}' is required, so its default has no use", entry.key);
            found.push(Finding::new(default.place.clone(), reason));
        }
    }
    Some(Parameter { shape, default, required: declared.required, place: entry.place.clone() })
}

/// What an attribute cannot be, because no manifest holds it.
fn unfit(declared: &ParameterDocument, node: &Node) -> Option<(Place, &'static str)> {
    let place = |key: &str| node.get(key).map_or(&node.place, |node| &node.place).clone();
    if declared.secret {
        return Some((place("secret"), "secrets are not supported yet"));
    }
    if declared.r#type == ParameterType::Number {
        return Some((place("type"), "an attribute cannot be a number with a fraction: use integer or string"));
    }
    let of = |key: &str, declared: &ParameterDocument| unfit(declared, node.get(key).unwrap_or(node));
    let items = declared.items.as_deref().and_then(|items| of("items", items));
    let additional = declared.additional_properties.as_deref();
    let properties = declared.properties.iter().flatten();
    items.or_else(|| additional.and_then(|additional| of("additionalProperties", additional))).or_else(|| {
        let properties = properties.map(|(name, property)| {
            let node = node.get("properties").and_then(|map| map.get(name)).unwrap_or(node);
            unfit(property, node)
        });
        properties.flatten().next()
    })
}

fn digest_of(root: &Node) -> u64 {
    let mut hasher = DefaultHasher::new();
    root.to_json().to_string().hash(&mut hasher);
    hasher.finish()
}
