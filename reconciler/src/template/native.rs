//! Between the engine's values and trees with places.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::ValueKind;

use super::secret::{CAPTURED, MARK, SecretText};
use crate::model::{Entry, Map, Node, NodeValue, Place, Text};

/// How deep maps and lists of a result may lie in one another.
const MAX_DEPTH: usize = 48;
/// The most bytes that a result may have.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// What each value counts for beside its text.
const VALUE_BYTES: usize = 64;

/// Why a result is no value for a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NativeFault {
    /// The whole result is undefined.
    #[error("the result is undefined")]
    Undefined,
    /// A value within is undefined or null.
    #[error("a value within the result is {0}")]
    MissingWithin(&'static str),
    /// The result cannot be had at all.
    #[error("{0}")]
    Invalid(String),
    /// Too many values, or nested too deeply.
    #[error("the result has more than {MAX_BYTES} bytes, or is nested deeper than {MAX_DEPTH}")]
    TooLarge,
    /// A value of a type that no document has.
    #[error("the result has {0} in it, which a document cannot have")]
    Unfit(&'static str),
}

/// The result of an expression as a tree; all of it is placed where the expression stands.
pub fn node_of_value(value: &Value, place: &Place) -> Result<Node, NativeFault> {
    let mut left = MAX_BYTES;
    if value.is_undefined() {
        return Err(NativeFault::Undefined);
    }
    if value.is_none() {
        return Ok(Node::new(place.clone(), NodeValue::Null));
    }
    convert(value, place, 0, &mut left)
}

fn convert(value: &Value, place: &Place, depth: usize, left: &mut usize) -> Result<Node, NativeFault> {
    *left = left.checked_sub(VALUE_BYTES).ok_or(NativeFault::TooLarge)?;
    if depth > MAX_DEPTH {
        return Err(NativeFault::TooLarge);
    }
    *left = left.checked_sub(value.as_str().map_or(0, str::len)).ok_or(NativeFault::TooLarge)?;
    let converted = match value.kind() {
        ValueKind::Undefined => return Err(NativeFault::MissingWithin("undefined")),
        ValueKind::None => return Err(NativeFault::MissingWithin("null")),
        ValueKind::Bool => NodeValue::Bool(value.is_true()),
        ValueKind::Number => number(value)?,
        ValueKind::String if value.as_str().is_some_and(|text| text.contains(MARK)) => {
            return Err(NativeFault::Invalid(CAPTURED.to_owned()));
        }
        ValueKind::String => text(value.as_str().unwrap_or_default()),
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().map_err(|error| NativeFault::Invalid(error.to_string()))?;
            let items: Result<Vec<Node>, NativeFault> =
                items.map(|item| convert(&item, place, depth + 1, left)).collect();
            NodeValue::List(items?.into())
        }
        ValueKind::Map => {
            let keys = value.try_iter().map_err(|error| NativeFault::Invalid(error.to_string()))?;
            let mut entries = Vec::new();
            for key in keys {
                let name = key.as_str().ok_or(NativeFault::Unfit("a key that is not a string"))?;
                let item = value.get_item(&key).map_err(|error| NativeFault::Invalid(error.to_string()))?;
                let value = convert(&item, place, depth + 1, left)?;
                entries.push(Entry { key: Arc::from(name), place: place.clone(), value });
            }
            NodeValue::Map(Arc::new(Map::of(entries)))
        }
        ValueKind::Invalid => {
            let error = value.try_iter().err();
            let reason = error.map_or_else(|| "the result is invalid".to_owned(), |error| error.to_string());
            return Err(NativeFault::Invalid(reason));
        }
        ValueKind::Plain if let Some(text) = SecretText::of_value(value) => NodeValue::Secret(text.clone()),
        ValueKind::Bytes => return Err(NativeFault::Unfit("bytes")),
        _ => return Err(NativeFault::Unfit("a function or an object")),
    };
    Ok(Node::new(place.clone(), converted))
}

fn text(text: &str) -> NodeValue {
    NodeValue::String(Text { text: Arc::from(text), verbatim: None })
}

fn number(value: &Value) -> Result<NodeValue, NativeFault> {
    if let Some(number) = value.as_i64().filter(|_| value.is_integer()) {
        return Ok(NodeValue::Integer(number));
    }
    if value.is_integer() {
        return Err(NativeFault::Unfit("an integer of more than 64 bits"));
    }
    Ok(NodeValue::Float(Arc::from(value.to_string())))
}

/// A tree as the engine's value.
pub fn value_of_node(node: &Node) -> Value {
    match &node.value {
        NodeValue::Null => Value::from(()),
        NodeValue::Bool(value) => Value::from(*value),
        NodeValue::Integer(value) => Value::from(*value),
        NodeValue::Float(text) => text.parse::<f64>().map_or(Value::UNDEFINED, Value::from),
        NodeValue::String(text) => Value::from(text.text.clone()),
        NodeValue::Secret(text) => text.to_value(),
        NodeValue::List(items) => items.iter().map(value_of_node).collect(),
        NodeValue::Map(map) => {
            Value::from_pairs(map.entries().iter().map(|entry| (entry.key.clone(), value_of_node(&entry.value))))
        }
    }
}
