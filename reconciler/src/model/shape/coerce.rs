//! What a template computed as a number is text where text is wanted.

use std::sync::Arc;

use super::super::Node;
use super::super::node::{Entry, Map, NodeValue, Text};
use super::{Additional, Shape, Type};

impl Shape {
    /// The node, with integers as strings where only a string fits.
    #[must_use]
    pub fn coerce(&self, node: &Node) -> Node {
        let shape = match self.alternatives.as_slice() {
            [] => self,
            [first, ..] if self.types.is_empty() => first,
            _ => self,
        };
        let value = match &node.value {
            NodeValue::Integer(number) if shape.wants_text() => {
                NodeValue::String(Text { text: Arc::from(number.to_string()), verbatim: None })
            }
            NodeValue::List(items) => match &shape.items {
                Some(shape) => NodeValue::List(items.iter().map(|item| shape.coerce(item)).collect()),
                None => return node.clone(),
            },
            NodeValue::Map(map) => NodeValue::Map(Arc::new(shape.coerce_map(map))),
            _ => return node.clone(),
        };
        Node::new(node.place.clone(), value)
    }

    fn wants_text(&self) -> bool {
        let numbers = [Type::Integer, Type::Number];
        self.types.contains(&Type::String) && !self.types.iter().any(|t| numbers.contains(t))
    }

    fn coerce_map(&self, map: &Map) -> Map {
        let coerced = |entry: &Entry| {
            let value = match (self.properties.get(entry.key.as_ref()), &self.additional) {
                (Some(shape), _) => shape.coerce(&entry.value),
                (None, Additional::Shape(shape)) => shape.coerce(&entry.value),
                _ => entry.value.clone(),
            };
            Entry { value, ..entry.clone() }
        };
        Map::of(map.entries().iter().map(coerced).collect())
    }
}
