//! Values that are more than one thing.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// A list or map of a declared collection, or a number that others do not have. The keys of maps are sorted, so that
/// equal values read alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Structured {
    json: Box<Value>,
}

impl Structured {
    /// Takes a value.
    pub fn new(json: Value) -> Structured {
        Structured { json: Box::new(sorted(json)) }
    }

    /// The value.
    pub fn json(&self) -> &Value {
        &self.json
    }
}

fn sorted(json: Value) -> Value {
    match json {
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> = map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().collect::<Map<_, _>>())
        }
        other => other,
    }
}

impl fmt::Display for Structured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.json.fmt(f)
    }
}
