//! Where each attribute of a resource comes from.

use std::sync::Arc;

use muster_schema::{Address, HostId};
use serde::Serialize;
use serde_json::Value;

use super::placed::Filling;
use super::{FactsOfFleet, render_placed};
use crate::model::{Map, Model, Place};

/// An attribute, its value, and the layer and line that gave it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExplainedAttribute {
    /// The attribute's name.
    pub attribute: String,
    /// Its value; for a content what gives it.
    pub value: Value,
    /// The layer, for people: `host lb-1`, `application nginx`.
    pub layer: String,
    /// Where it is written.
    pub place: Place,
    /// The file that it names, where that gives the content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<Arc<str>>,
}

/// Explains one resource of a host; none where the host does not have it.
pub fn explain_resource(
    model: &Model,
    id: &HostId,
    facts: &FactsOfFleet,
    address: &Address,
) -> Option<Vec<ExplainedAttribute>> {
    let host = model.host(id)?;
    let layer = host.base.under(&host.layer);
    let (_, host_set) = render_placed(model, host, &layer, facts);
    let placed = host_set.resources.get(address)?;
    let explained = |attribute: &str, value: Value, place: &Place| ExplainedAttribute {
        attribute: attribute.to_owned(),
        value,
        layer: layer_of(&place.file),
        place: place.clone(),
        file: None,
    };
    let attributes = placed.map().map_or(&[][..], Map::entries).iter();
    let attributes = attributes.map(|entry| explained(&entry.key, entry.value.to_json(), &entry.value.place));
    let contents = placed.contents.iter();
    let contents = contents.map(|(slot, content)| {
        let origin = || format!("{} {}", content.origin, content.file.as_deref().unwrap_or_default());
        let text = match (&content.content, &content.file) {
            (Filling::Segments { shown, .. }, None) => shown.clone(),
            (Filling::Segments { .. }, Some(_)) => format!("{} (with secrets)", origin()),
            (Filling::Bytes(bytes), file) => match std::str::from_utf8(&bytes.bytes) {
                Ok(text) if file.is_none() => text.to_owned(),
                _ => format!("{} ({} bytes)", origin().trim_end(), bytes.blob.size),
            },
        };
        ExplainedAttribute { file: content.file.clone(), ..explained(slot, Value::from(text), &content.place) }
    });
    let mut all: Vec<ExplainedAttribute> = attributes.chain(contents).collect();
    if all.is_empty() {
        all.push(explained("(exists)", Value::Bool(true), &placed.place));
    }
    all.sort_by(|a, b| a.attribute.cmp(&b.attribute));
    Some(all)
}

/// The layer that a document is, for people.
pub fn layer_of(file: &str) -> String {
    let stem = |name: &str| name.strip_suffix(".yaml").unwrap_or(name).to_owned();
    let parts: Vec<&str> = file.split('/').collect();
    match parts.as_slice() {
        ["profiles", name] => format!("profile {}", stem(name)),
        ["environments", environment, "profiles", name] => format!("profile {} of {environment}", stem(name)),
        ["environments", _, "hosts", name] => format!("host {}", stem(name)),
        ["environments", environment, ..] => format!("environment {environment}"),
        ["applications", name, ..] => format!("application {name}"),
        _ => "fleet".to_owned(),
    }
}
