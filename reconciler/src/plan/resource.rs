//! The difference of two host sets, resource by resource.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use muster_schema::Address;
use muster_schema::resource::{OnRemove, Resource, Spec};
use muster_schema::secret::{Content, SecretSegment, Segment};
use serde::Serialize;
use serde_json::Value;

use super::content::{ContentChange, content_change};
use super::{Reaction, ReactionKind};
use crate::render::RenderedHost;

/// What stands in the place of a secret value.
const MASKED: &str = "***";
/// Attributes whose values are not shown.
const SECRET: [&str; 1] = ["password"];

/// A change of one resource.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResourceChange {
    /// The resource.
    pub address: Address,
    /// What becomes of it.
    #[serde(flatten)]
    pub kind: ChangeKind,
}

/// What becomes of a resource.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum ChangeKind {
    /// It leaves: the thing goes back to what was found, or stays where `on_remove` says so.
    Removed {
        /// Whether it stays.
        kept: bool,
    },
    /// Its attributes change.
    Changed {
        /// The attributes that differ.
        attributes: Vec<AttributeChange>,
        /// The contents that differ.
        contents: Vec<ContentChange>,
    },
    /// It is new.
    Added {
        /// Its attributes.
        attributes: BTreeMap<String, Value>,
        /// Its contents.
        contents: Vec<ContentChange>,
    },
}

/// A change of one attribute; null is: not managed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AttributeChange {
    /// The attribute.
    pub attribute: String,
    /// Its value before.
    pub before: Value,
    /// Its value after.
    pub after: Value,
}

impl ResourceChange {
    /// The change without what surrounds it: two changes are identical if the same lines come and go.
    pub(super) fn essence(&self) -> ResourceChange {
        let mut essence = self.clone();
        if let ChangeKind::Changed { contents, .. } = &mut essence.kind {
            contents.iter_mut().for_each(ContentChange::drop_surroundings);
        }
        essence
    }

    /// Orders changes: what goes away comes first.
    pub(super) fn rank(&self) -> u8 {
        match self.kind {
            ChangeKind::Removed { .. } => 0,
            ChangeKind::Changed { .. } => 1,
            ChangeKind::Added { .. } => 2,
        }
    }
}

/// The changes from one host set to another; without an old one all is new.
pub fn changes_of(old: Option<&RenderedHost>, new: &RenderedHost) -> Vec<ResourceChange> {
    let by_address = |rendered: &'_ RenderedHost| -> BTreeMap<Address, Resource> {
        rendered.resources.iter().map(|resource| (resource.address.clone(), resource.clone())).collect()
    };
    let before = old.map(by_address).unwrap_or_default();
    let after = by_address(new);
    let mut changes = Vec::new();
    for (address, resource) in &before {
        let kind = match after.get(address) {
            None => Some(ChangeKind::Removed { kept: resource.meta.on_remove == OnRemove::Keep }),
            Some(other) if other == resource => None,
            Some(other) => changed(resource, other, old, new),
        };
        changes.extend(kind.map(|kind| ResourceChange { address: address.clone(), kind }));
    }
    for (address, resource) in after.iter().filter(|(address, _)| !before.contains_key(address)) {
        let contents = contents_of(resource)
            .into_iter()
            .filter_map(|(slot, content)| content_change(&slot, None, bytes_of(&content, new).as_ref()))
            .collect();
        let mut attributes = attributes_of(resource);
        attributes.values_mut().for_each(mask);
        let kind = ChangeKind::Added { attributes, contents };
        changes.push(ResourceChange { address: address.clone(), kind });
    }
    changes
}

fn changed(before: &Resource, after: &Resource, old: Option<&RenderedHost>, new: &RenderedHost) -> Option<ChangeKind> {
    let (old_attributes, new_attributes) = (attributes_of(before), attributes_of(after));
    let names: BTreeSet<&String> = old_attributes.keys().chain(new_attributes.keys()).collect();
    let value = |attributes: &BTreeMap<String, Value>, name: &str| attributes.get(name).cloned().unwrap_or_default();
    let attributes: Vec<AttributeChange> = names
        .into_iter()
        .map(|name| AttributeChange {
            attribute: name.clone(),
            before: value(&old_attributes, name),
            after: value(&new_attributes, name),
        })
        .filter(|change| change.before != change.after)
        .map(masked)
        .collect();
    let (old_contents, new_contents) = (contents_of(before), contents_of(after));
    let slots: BTreeSet<&String> = old_contents.keys().chain(new_contents.keys()).collect();
    let contents: Vec<ContentChange> = slots
        .into_iter()
        .filter(|slot| old_contents.get(*slot) != new_contents.get(*slot))
        .filter_map(|slot| {
            let before = old_contents.get(slot).and_then(|content| bytes_of(content, old?));
            let after = new_contents.get(slot).and_then(|content| bytes_of(content, new));
            content_change(slot, before.as_ref(), after.as_ref())
        })
        .collect();
    // Which application gives a resource is no change of the host.
    let none = attributes.is_empty() && contents.is_empty();
    (!none).then_some(ChangeKind::Changed { attributes, contents })
}

/// All attributes but contents. The mode of enforcement goes by the name that permission bits leave it.
fn attributes_of(resource: &Resource) -> BTreeMap<String, Value> {
    let mut attributes = BTreeMap::new();
    if let Ok(Value::Object(meta)) = serde_json::to_value(&resource.meta) {
        let named = |(name, value)| if name == "mode" { ("enforcement".to_owned(), value) } else { (name, value) };
        attributes.extend(meta.into_iter().map(named));
    }
    if let Spec::Extension(spec) = &resource.spec {
        attributes.insert("provider".to_owned(), spec.place().into());
        attributes.extend(spec.attributes.clone());
    } else if let Ok(Value::Object(spec)) = serde_json::to_value(&resource.spec) {
        attributes.extend(spec);
    }
    let contents = contents_of(resource);
    for slot in contents.keys() {
        match slot.split_once('.') {
            Some((outer, inner)) => {
                if let Some(outer) = attributes.get_mut(outer).and_then(Value::as_object_mut) {
                    outer.remove(inner);
                }
            }
            None => _ = attributes.remove(slot),
        }
    }
    for (name, value) in &mut attributes {
        if SECRET.contains(&name.as_str()) {
            *value = Value::from(hidden(value));
        }
    }
    attributes
}

/// A secret's stand-in that still tells one value from another while plans are made.
fn hidden(value: &Value) -> String {
    format!("{MASKED}{}", muster_schema::Sha256Digest::of(value.to_string().as_bytes()))
}

/// A change without what it hides.
fn masked(mut change: AttributeChange) -> AttributeChange {
    mask(&mut change.before);
    mask(&mut change.after);
    change
}

fn mask(value: &mut Value) {
    if value.as_str().is_some_and(|text| text.starts_with(MASKED)) {
        *value = Value::from(MASKED);
    }
}

/// The contents of a resource by slot (`content`, `script`, `stdin`, `undo.script`), and its texts with secrets in them.
fn contents_of(resource: &Resource) -> BTreeMap<String, Content> {
    let contents = resource.spec.contents().into_iter().map(|(slot, blob)| (slot.to_owned(), blob.into()));
    let secrets = resource.spec.secrets().into_iter();
    contents.chain(secrets.map(|(slot, content)| (slot.into_owned(), content.clone().into()))).collect()
}

/// A content as people see it. A secret is named, with the digest of its ciphertext: whether that or the secret
/// itself is another one nobody here can tell.
fn bytes_of(content: &Content, host: &RenderedHost) -> Option<Arc<[u8]>> {
    let content = match content {
        Content::Blob(blob) => return host.blobs.get(&blob.sha256).cloned(),
        Content::Secret(content) => content,
    };
    let mut bytes = Vec::new();
    for segment in &content.segments {
        match segment {
            Segment::Literal(blob) => bytes.extend_from_slice(host.blobs.get(&blob.sha256)?),
            Segment::Secret(SecretSegment { name, encode, ciphertext }) => {
                let encode = encode.map_or_else(String::new, |encode| format!(", encode={}", encode.name()));
                let digest = ciphertext.sha256.to_string();
                let digest = digest.get(..8).unwrap_or(&digest);
                bytes.extend_from_slice(format!("secret({name}{encode}; ciphertext {digest})").as_bytes());
            }
        }
    }
    Some(bytes.into())
}

/// What reacts to these changes: each once, by the edges of the new host set.
pub fn reactions_of(changes: &[ResourceChange], new: &RenderedHost) -> BTreeSet<Reaction> {
    let is_trigger = |change: &&ResourceChange| !matches!(change.kind, ChangeKind::Removed { .. });
    let changed: BTreeSet<&Address> = changes.iter().filter(is_trigger).map(|change| &change.address).collect();
    let mut reactions = BTreeSet::new();
    for resource in &new.resources {
        let meta = &resource.meta;
        let reacts = [
            (ReactionKind::Restarts, &meta.restart_on),
            (ReactionKind::Reloads, &meta.reload_on),
            (ReactionKind::Runs, &meta.run_on),
        ];
        for (reaction, triggers) in reacts {
            if triggers.iter().any(|trigger| changed.contains(trigger)) {
                reactions.insert(Reaction { reaction, address: resource.address.clone() });
            }
        }
    }
    reactions
}
