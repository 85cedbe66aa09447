//! What documents bring about, against the `outputs` that the policy gives them.
//!
//! A document brings a resource about when the resource stands in it, when it assigns the resource's application, or
//! when a value or content of it was read on the way. What an evaluation read goes with its taint.

use std::collections::BTreeSet;
use std::sync::Arc;

use muster_schema::Collection;

use super::record::Taint;
use super::rendering::Rendering;
use crate::model::{Entry, Finding, Map, Node, NodeValue, Place};

/// Documents that have outputs.
pub(super) type Documents = BTreeSet<Arc<str>>;

impl Rendering {
    /// Notes that something of a document or content is read.
    pub(super) fn read_document(&self, file: &Arc<str>) {
        if let Some(document) = self.with_outputs(file) {
            self.record().taint.documents.insert(document);
        }
    }

    /// Notes all documents that a tree is made of.
    pub(super) fn read_tree(&self, node: &Node) {
        if !self.model.outputs().is_empty() {
            let documents = self.documents_of(node);
            self.record().taint.documents.extend(documents);
        }
    }

    /// The documents with outputs of which an entry is made: its name, and all of its value.
    pub(super) fn documents_of_entry(&self, entry: &Entry) -> Documents {
        if self.model.outputs().is_empty() {
            return Documents::new();
        }
        self.with_outputs(&entry.place.file).into_iter().chain(self.documents_of(&entry.value)).collect()
    }

    fn documents_of(&self, node: &Node) -> Documents {
        let mut documents: Documents = self.with_outputs(&node.place.file).into_iter().collect();
        match &node.value {
            NodeValue::List(items) => documents.extend(items.iter().flat_map(|item| self.documents_of(item))),
            NodeValue::Map(map) => {
                documents.extend(Map::entries(map).iter().flat_map(|entry| self.documents_of_entry(entry)));
            }
            _ => {}
        }
        documents
    }

    /// The document, if it has outputs.
    fn with_outputs(&self, file: &Arc<str>) -> Option<Arc<str>> {
        let outputs = self.model.outputs();
        if outputs.is_empty() {
            return None;
        }
        let known = self.record().with_outputs.get(file).copied();
        let has = known.unwrap_or_else(|| {
            let has = outputs.of(file).next().is_some();
            self.record().with_outputs.insert(file.clone(), has);
            has
        });
        has.then(|| file.clone())
    }

    /// Finds a resource of `collection`, at `place`, that one of the documents of its taint may not bring about.
    pub(super) fn check_outputs(&self, collection: Collection, name: &str, place: &Place, taint: &Taint) {
        let outputs = self.model.outputs();
        for document in &taint.documents {
            if outputs.allow(document, &self.host.labels, collection) {
                continue;
            }
            let bounds: Vec<String> = outputs.of(document).take(3).map(ToString::to_string).collect();
            let reason = format!(
                "{collection}/{} on {} follows from '{document}', which is for {}",
                name.trim_start_matches('/'),
                self.host.id,
                bounds.join("; ")
            );
            let finding = Finding::new(place.clone(), reason).with_scope(self.scope_of(taint.facts));
            self.record()
                .find(finding.with_hint("'outputs' of policy/access.yaml says what a document may bring about"));
        }
    }
}
