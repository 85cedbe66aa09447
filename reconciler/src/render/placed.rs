//! Resources after rendering, while every attribute still knows its place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use muster_schema::Address;
use muster_schema::secret::SecretContent;

use crate::model::{Content, Map, Node, Place};

/// Attributes that hold a content, by the name of the specification's attribute: `content`,
/// `script`, `stdin`, `undo.script`.
pub(super) type Contents = BTreeMap<&'static str, PlacedContent>;

/// A content and where it comes from.
#[derive(Debug, Clone)]
pub(super) struct PlacedContent {
    pub(super) content: Filling,
    pub(super) place: Place,
    /// The attribute that gives it: `content`, `source` or `template`.
    pub(super) origin: &'static str,
    /// The file that `source` or `template` names.
    pub(super) file: Option<Arc<str>>,
}

/// What a content is made of.
#[derive(Debug, Clone)]
pub(super) enum Filling {
    /// Bytes.
    Bytes(Content),
    /// Pieces with secrets among them, the blobs that they name, and how it reads for people.
    Segments { content: SecretContent, blobs: Vec<Content>, shown: String },
}

impl Filling {
    /// The blobs that it is made of.
    pub(super) fn blobs(&self) -> &[Content] {
        match self {
            Filling::Bytes(content) => std::slice::from_ref(content),
            Filling::Segments { blobs, .. } => blobs,
        }
    }

    /// Whether both give the same.
    pub(super) fn is(&self, other: &Filling) -> bool {
        match (self, other) {
            (Filling::Bytes(one), Filling::Bytes(other)) => one.blob == other.blob,
            (Filling::Segments { content: one, .. }, Filling::Segments { content: other, .. }) => one == other,
            _ => false,
        }
    }
}

/// A rendered resource.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) address: Address,
    /// Where its id stands.
    pub(super) place: Place,
    /// The application instance that it comes from; none for a resource of a layer.
    pub(super) instance: Option<Arc<str>>,
    /// Attributes without contents: a map. Null in a layer's resource removes.
    pub(super) attributes: Node,
    pub(super) contents: Contents,
    /// Whether it depends on facts.
    pub(super) tainted: bool,
}

impl Placed {
    pub(super) fn map(&self) -> Option<&Map> {
        self.attributes.as_map()
    }
}

/// What an application, or the layers, come to.
#[derive(Debug, Default)]
pub(super) struct PlacedSet {
    pub(super) resources: Vec<Placed>,
    /// Addresses that `when` takes away.
    pub(super) absent: BTreeSet<Address>,
    /// Addresses that a layer's null takes away.
    pub(super) removed: Vec<(Address, Place)>,
}
