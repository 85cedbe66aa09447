//! States as JSON. What is secret leaves here as `***`.

use crate::resource::{Attributes, MASK, Value};
use serde_json::Map;

/// The attributes, to be shown.
pub(super) fn show_attributes(attributes: &Attributes) -> Map<String, serde_json::Value> {
    attributes.iter().map(|(name, value)| (name.to_string(), show_value(value))).collect()
}

fn show_value(value: &Value) -> serde_json::Value {
    match value {
        Value::Secret(_) => MASK.into(),
        value => value.to_json(),
    }
}
