//! States as JSON. What is secret leaves here as `***`.

use crate::resource::{Attributes, Value};
use serde_json::Map;

const MASK: &str = "***";

/// The attributes, to be shown.
pub(super) fn show_attributes(attributes: &Attributes) -> Map<String, serde_json::Value> {
    attributes.iter().map(|(name, value)| (name.to_string(), show_value(value))).collect()
}

fn show_value(value: &Value) -> serde_json::Value {
    match value {
        Value::Nothing => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => (*number).into(),
        Value::Text(text) => text.as_ref().into(),
        Value::List(items) => items.as_slice().into(),
        Value::Secret(_) => MASK.into(),
        Value::Content(content) => serde_json::json!({"sha256": content.sha256, "size": content.size}),
    }
}
