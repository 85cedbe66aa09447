//! All declared collections, and what documents say of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use muster_schema::document::RESERVED_COLLECTIONS;
use muster_schema::{Address, Collection, ExtensionName};

use super::exceptions::attributes_of;
use super::node::{Entry, Map};
use super::{Extension, Finding, Node, Place, Templates, did_you_mean};
use crate::template::is_template;

/// The declared collections by name.
#[derive(Debug, Clone, Default)]
pub struct Extensions(pub(super) BTreeMap<ExtensionName, Arc<Extension>>);

impl Extensions {
    /// The declaration of a collection; none of one that is built in, or of one that is not declared.
    pub fn of(&self, collection: Collection) -> Option<&Arc<Extension>> {
        self.0.get(&collection.extension()?)
    }

    /// The fault of naming a collection that is neither built in nor declared.
    pub(crate) fn unknown(&self, collection: Collection, place: &Place) -> Option<Finding> {
        let name = collection.extension()?;
        if self.0.contains_key(&name) {
            return None;
        }
        let finding = Finding::new(place.clone(), format!("unknown type of resource '{name}'"));
        let mut known: Vec<&str> = Collection::names().chain(RESERVED_COLLECTIONS).collect();
        known.extend(self.0.keys().map(ExtensionName::as_str));
        Some(match did_you_mean(name.as_str(), known) {
            Some(hint) => finding.with_hint(hint),
            None => finding.with_hint(format!("a plug-in's collection is declared by extensions/{name}.yaml")),
        })
    }

    /// Reads an address as people write it: what has paths for ids may be written without encoding them.
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn load_address(&self, text: &str) -> Result<Address, muster_schema::address::AddressError> {
        let address: Address = text.parse()?;
        let has_paths = self.of(address.collection()).is_some_and(|extension| extension.has_paths());
        if has_paths && !address.id().starts_with('/') {
            return Address::new(address.collection(), format!("/{}", address.id()));
        }
        Ok(address)
    }

    /// Adds a finding for each fault of what a document says of collections that are not built in.
    pub(super) fn check(&self, root: &Node, found: &mut Vec<Finding>) {
        for entry in entries_of(root.get("resources")) {
            let Some(collection) = entry.key.parse().ok().filter(|c: &Collection| c.extension().is_some()) else {
                continue;
            };
            if let Some(finding) = self.unknown(collection, &entry.place) {
                found.push(finding);
            } else if let Some(extension) = self.of(collection).filter(|extension| !extension.unread) {
                entries_of(Some(&entry.value)).iter().for_each(|resource| check_resource(extension, resource, found));
            }
        }
        for entry in entries_of(root.get("exceptions")) {
            let Ok(address) = self.load_address(&entry.key) else { continue };
            if let Some(finding) = self.unknown(address.collection(), &entry.place) {
                found.push(finding);
            } else if let Some(extension) = self.of(address.collection()).filter(|extension| !extension.unread) {
                let what = format!("'{}'", entry.key);
                extension.shape().check(&attributes_of(&entry.value), &what, Templates::Allowed, found);
            }
        }
    }
}

fn entries_of(node: Option<&Node>) -> &[Entry] {
    node.and_then(Node::as_map).map_or(&[][..], Map::entries)
}

fn check_resource(extension: &Extension, entry: &Entry, found: &mut Vec<Finding>) {
    if !is_template(&entry.key)
        && let Err(reason) = extension.takes_id(&entry.key)
    {
        found.push(Finding::new(entry.place.clone(), reason));
    }
    if entry.value.as_map().is_some() {
        extension.shape().check(&entry.value, &format!("'{}'", entry.key), Templates::Allowed, found);
    }
}
