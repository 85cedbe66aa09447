//! A file as a tree that keeps the order of its keys, of which the MAC depends.

use std::sync::Arc;

use serde_json::Value;

use super::SopsError;
use crate::model::{self, MAX_DOCUMENT_BYTES, Node, NodeValue};

/// A part of a file.
#[derive(Debug)]
pub(super) enum Tree {
    /// Keys, in their order.
    Map(Vec<(String, Tree)>),
    /// Items.
    List(Vec<Tree>),
    /// A value.
    Leaf(Leaf),
    /// Null, which is never encrypted.
    Null,
}

/// A value that has no parts.
#[derive(Debug)]
pub(super) struct Leaf {
    /// Its text as the MAC takes it: numbers without an exponent, `True` and `False`.
    pub(super) text: String,
    /// Whether it is a string.
    pub(super) string: bool,
}

/// What is done with each leaf: the keys that lead to it, what its encryption is bound to, the leaf.
type Visit<'a> = dyn FnMut(&[String], &str, &Leaf) -> Result<(), SopsError> + 'a;

impl Leaf {
    /// A string.
    pub(super) fn string(text: &str) -> Leaf {
        Leaf { text: text.to_owned(), string: true }
    }

    fn other(text: impl ToString) -> Leaf {
        Leaf { text: text.to_string(), string: false }
    }

    fn boolean(value: bool) -> Leaf {
        Leaf::other(if value { "True" } else { "False" })
    }
}

impl Tree {
    /// Reads YAML.
    pub(super) fn load_yaml(file: &str, bytes: &[u8]) -> Result<Tree, SopsError> {
        let root = model::load_yaml(&Arc::from(file), bytes)
            .map_err(|found| SopsError::Form(found.first().map(ToString::to_string).unwrap_or_default()))?;
        Tree::of_node(&root)
    }

    /// Reads JSON.
    pub(super) fn load_json(bytes: &[u8]) -> Result<Tree, SopsError> {
        if bytes.len() as u64 > MAX_DOCUMENT_BYTES {
            return Err(SopsError::Form("the file is larger than 1 MiB".to_owned()));
        }
        // The text of this error tells a place, and quotes nothing of a document that is only parsed.
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|error| SopsError::Form(format!("this is neither YAML, dotenv nor JSON: {error}")))?;
        Ok(Tree::of_json(value))
    }

    fn of_node(node: &Node) -> Result<Tree, SopsError> {
        Ok(match &node.value {
            NodeValue::Null => Tree::Null,
            NodeValue::Bool(value) => Tree::Leaf(Leaf::boolean(*value)),
            NodeValue::Integer(value) => Tree::Leaf(Leaf::other(value)),
            NodeValue::Float(text) => Tree::Leaf(match text.parse::<f64>() {
                Ok(value) => Leaf::other(value),
                Err(_) => Leaf::other(text),
            }),
            NodeValue::String(text) => Tree::Leaf(Leaf::string(&text.text)),
            NodeValue::Secret(_) => return Err(SopsError::Form("a document holds no secret of muster".to_owned())),
            NodeValue::List(items) => Tree::List(items.iter().map(Tree::of_node).collect::<Result<_, _>>()?),
            NodeValue::Map(map) => {
                // A map is sorted by key; the order of the file is that of the places.
                let mut entries: Vec<_> = map.entries().iter().collect();
                entries.sort_by_key(|entry| (entry.place.line, entry.place.column));
                let pair = |entry: &&model::Entry| Ok((entry.key.to_string(), Tree::of_node(&entry.value)?));
                Tree::Map(entries.iter().map(pair).collect::<Result<_, _>>()?)
            }
        })
    }

    fn of_json(value: Value) -> Tree {
        match value {
            Value::Null => Tree::Null,
            Value::Bool(value) => Tree::Leaf(Leaf::boolean(value)),
            Value::Number(number) => Tree::Leaf(match number.as_i64() {
                Some(value) => Leaf::other(value),
                None => Leaf::other(number.as_f64().unwrap_or_default()),
            }),
            Value::String(text) => Tree::Leaf(Leaf::string(&text)),
            Value::Array(items) => Tree::List(items.into_iter().map(Tree::of_json).collect()),
            Value::Object(map) => Tree::Map(map.into_iter().map(|(key, value)| (key, Tree::of_json(value))).collect()),
        }
    }

    /// Takes a key out.
    pub(super) fn take(&mut self, key: &str) -> Option<Tree> {
        let Tree::Map(entries) = self else { return None };
        let at = entries.iter().position(|(name, _)| name == key)?;
        Some(entries.remove(at).1)
    }

    /// What a key has.
    pub(super) fn get(&self, key: &str) -> Option<&Tree> {
        let Tree::Map(entries) = self else { return None };
        entries.iter().find(|(name, _)| name == key).map(|(_, tree)| tree)
    }

    /// The text of a leaf.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Tree::Leaf(leaf) => Some(&leaf.text),
            _ => None,
        }
    }

    /// How many parts it has.
    pub(super) fn len(&self) -> usize {
        match self {
            Tree::Map(entries) => entries.len(),
            Tree::List(items) => items.len(),
            Tree::Leaf(_) | Tree::Null => 0,
        }
    }

    /// Whether it is one value under this key.
    pub(super) fn is_one_value(&self, key: &str) -> bool {
        self.len() == 1 && self.get(key).and_then(Tree::text).is_some()
    }

    /// Whether it is an encrypted remark of people, which stands in a list as an item and is none.
    fn is_comment(&self) -> bool {
        self.text().is_some_and(|text| text.starts_with("ENC[") && text.ends_with(",type:comment]"))
    }

    /// Visits all leaves in their order.
    pub(super) fn for_each(&self, visit: &mut Visit<'_>) -> Result<(), SopsError> {
        self.walk(&mut Vec::new(), "", visit)
    }

    /// `bound` is the path that a value is bound to: each key with a colon, and nothing for the items of lists.
    fn walk(&self, path: &mut Vec<String>, bound: &str, visit: &mut Visit<'_>) -> Result<(), SopsError> {
        match self {
            Tree::Null => Ok(()),
            Tree::Leaf(leaf) => visit(path, bound, leaf),
            Tree::List(items) => {
                let mut index = 0;
                items.iter().try_for_each(|item| {
                    path.push(index.to_string());
                    let walked = item.walk(path, bound, visit);
                    path.pop();
                    index += usize::from(!item.is_comment());
                    walked
                })
            }
            Tree::Map(entries) => entries.iter().try_for_each(|(key, value)| {
                path.push(key.clone());
                let walked = value.walk(path, &format!("{bound}{key}:"), visit);
                path.pop();
                walked
            }),
        }
    }
}
