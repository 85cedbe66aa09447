//! Texts with secrets in them, taken out of the attributes of a resource.

use std::sync::Arc;

use muster_schema::secret::SecretContent;

use crate::model::{Entry, Map, Node, NodeValue};
use crate::render::placed::Placed;
use crate::render::rendering::{Rendering, Stopped};
use crate::render::secret::segments_of;

/// The attributes of a resource, apart from its texts with secrets in them.
pub(super) struct SplitTexts {
    /// The other attributes.
    pub(super) attributes: Node,
    /// The texts, by slot: `line`, `env.TOKEN`.
    pub(super) texts: Vec<(String, SecretContent)>,
}

/// Takes out the texts that may hold secrets and do. One that may not stays, and does not fit its type.
pub(super) fn split_texts(rendering: &Rendering, placed: &Placed) -> Result<SplitTexts, Stopped> {
    let mut split = SplitTexts { attributes: placed.attributes.clone(), texts: Vec::new() };
    if placed.attributes.secret().is_none() {
        return Ok(split);
    }
    let mut stopped = false;
    for slot in placed.address.collection().secret_texts() {
        let (outer, is_inner) = match slot.strip_suffix(".*") {
            Some(outer) => (outer, true),
            None => (*slot, false),
        };
        let Some(entry) = placed.map().and_then(|map| map.entry(outer)) else { continue };
        let mut take = |slot: String, node: &Node| {
            let NodeValue::Secret(text) = &node.value else { return false };
            match segments_of(rendering, text, &node.place) {
                Ok((content, blobs)) => {
                    rendering.record().blobs.extend(blobs);
                    split.texts.push((slot, content));
                }
                Err(Stopped) => stopped = true,
            }
            true
        };
        let left = if is_inner {
            // What is no map does not fit its type, and is told there.
            let Some(inner) = entry.value.as_map().map(|map| map.entries().iter()) else { continue };
            let left = inner.filter(|one| !take(format!("{outer}.{}", one.key), &one.value)).cloned().collect();
            Some(Node::new(entry.value.place.clone(), NodeValue::Map(Arc::new(Map::of_sorted(left)))))
        } else if take(outer.to_owned(), &entry.value) {
            None
        } else {
            continue;
        };
        split.attributes = with(&split.attributes, outer, left);
    }
    if stopped { Err(Stopped) } else { Ok(split) }
}

/// The map with another value of a key, or without it.
fn with(attributes: &Node, key: &str, value: Option<Node>) -> Node {
    let entries = attributes.as_map().map_or(&[][..], Map::entries).iter();
    let kept = entries.filter_map(|entry| match (entry.key.as_ref() == key, &value) {
        (false, _) => Some(entry.clone()),
        (true, value) => Some(Entry { value: value.clone()?, ..entry.clone() }),
    });
    Node::new(attributes.place.clone(), NodeValue::Map(Arc::new(Map::of_sorted(kept.collect()))))
}
