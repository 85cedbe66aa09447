//! A document as a tree in which everything knows its place.

mod deserialize;

use std::sync::Arc;

use serde_json::Value;

use super::Place;
use crate::template::SecretText;

pub use deserialize::Unfit;
pub(crate) use deserialize::entries_deserializer;

/// A value of a document and where it was written. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where the value begins.
    pub place: Place,
    /// The value.
    pub value: NodeValue,
}

/// A value of a document.
#[derive(Clone, Debug)]
pub enum NodeValue {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`; `yes` and `no` are strings.
    Bool(bool),
    /// An integer without a leading zero.
    Integer(i64),
    /// A number with a fraction or an exponent, as it was written.
    Float(Arc<str>),
    /// Text.
    String(Text),
    /// A text with secrets in it, which only the host can read. Templates make it; no document holds it.
    Secret(SecretText),
    /// A list.
    List(Arc<[Node]>),
    /// A map.
    Map(Arc<Map>),
}

/// A string and how its characters map to places.
#[derive(Clone, Debug)]
pub struct Text {
    /// The characters.
    pub text: Arc<str>,
    /// Columns from the string's place to its first character, if the string stands in the file as
    /// it is: on one line, without escapes.
    pub verbatim: Option<u32>,
}

/// A map, sorted by key: the order of a file means nothing.
#[derive(Clone, Debug, Default)]
pub struct Map {
    entries: Vec<Entry>,
}

/// A key of a map with its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: Arc<str>,
    /// Where the key stands.
    pub place: Place,
    /// The value.
    pub value: Node,
}

impl Map {
    /// A map of these entries; of two with one key the later stays.
    pub fn of(mut entries: Vec<Entry>) -> Map {
        entries.reverse();
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        entries.dedup_by(|a, b| a.key == b.key);
        Map { entries }
    }

    /// A map of entries that are sorted by key, each key once.
    pub(crate) fn of_sorted(entries: Vec<Entry>) -> Map {
        Map { entries }
    }

    /// The entry of a key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        let found = self.entries.binary_search_by(|entry| entry.key.as_ref().cmp(key));
        found.ok().and_then(|index| self.entries.get(index))
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// All entries, sorted by key.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

impl Node {
    /// A node.
    pub fn new(place: Place, value: NodeValue) -> Node {
        Node { place, value }
    }

    /// An empty map at a place.
    pub fn empty_map(place: Place) -> Node {
        Node::new(place, NodeValue::Map(Arc::new(Map::default())))
    }

    /// The map, if the node is one.
    pub fn as_map(&self) -> Option<&Map> {
        match &self.value {
            NodeValue::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The list, if the node is one.
    pub fn as_list(&self) -> Option<&[Node]> {
        match &self.value {
            NodeValue::List(list) => Some(list),
            _ => None,
        }
    }

    /// The text, if the node is a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            NodeValue::String(text) => Some(&text.text),
            _ => None,
        }
    }

    /// Whether the node is null.
    pub fn is_null(&self) -> bool {
        matches!(self.value, NodeValue::Null)
    }

    /// The value of a key, if the node is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.get(key)
    }

    /// The first secret in it, at any depth.
    pub fn secret(&self) -> Option<&Node> {
        match &self.value {
            NodeValue::Secret(_) => Some(self),
            NodeValue::List(items) => items.iter().find_map(Node::secret),
            NodeValue::Map(map) => map.entries().iter().find_map(|entry| entry.value.secret()),
            _ => None,
        }
    }

    /// What the node is, for a sentence.
    pub fn kind(&self) -> &'static str {
        match self.value {
            NodeValue::Null => "null",
            NodeValue::Bool(_) => "a boolean",
            NodeValue::Integer(_) => "an integer",
            NodeValue::Float(_) => "a float",
            NodeValue::String(_) => "a string",
            NodeValue::Secret(_) => "a secret",
            NodeValue::List(_) => "a list",
            NodeValue::Map(_) => "a map",
        }
    }

    /// The place of the byte `offset` of a string's text: exact where the string stands in the file
    /// as it is, else the string's own place.
    pub fn place_in_text(&self, offset: usize) -> Place {
        match &self.value {
            NodeValue::String(Text { text, verbatim: Some(first) }) => {
                let before = text.get(..offset).unwrap_or("").chars().count();
                let before = u32::try_from(before).unwrap_or(u32::MAX);
                self.place.right_by(first.saturating_add(before))
            }
            _ => self.place.clone(),
        }
    }

    /// The value without its places. A float becomes a JSON number.
    pub fn to_json(&self) -> Value {
        match &self.value {
            NodeValue::Null => Value::Null,
            NodeValue::Bool(value) => Value::from(*value),
            NodeValue::Integer(value) => Value::from(*value),
            NodeValue::Float(text) => text.parse::<f64>().map_or(Value::Null, Value::from),
            NodeValue::String(text) => Value::from(text.text.as_ref()),
            NodeValue::Secret(text) => Value::from(text.to_string()),
            NodeValue::List(list) => list.iter().map(Node::to_json).collect(),
            NodeValue::Map(map) => {
                map.entries().iter().map(|entry| (entry.key.to_string(), entry.value.to_json())).collect()
            }
        }
    }
}
