//! Declarations of parameters.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// The type of a parameter's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParameterType {
    /// Anything.
    #[default]
    Any,
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A number, possibly with a fraction.
    Number,
    /// True or false.
    Boolean,
    /// A list.
    Array,
    /// A map.
    Object,
}

/// What a value must be; JSON Schema's words, but `required` stands at the
/// parameter or property itself.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct ParameterDocument {
    /// What it is for.
    pub description: Option<String>,
    /// The type of the value.
    pub r#type: ParameterType,
    /// The value where none is given; may be a template.
    pub default: Option<Value>,
    /// Whether a value must be given.
    pub required: bool,
    /// Whether the value is a secret.
    pub secret: bool,
    /// The only values allowed.
    pub r#enum: Option<Vec<Value>>,
    /// A regular expression that a string must match somewhere; anchor it with ^ and $.
    pub pattern: Option<String>,
    /// The fewest characters of a string.
    pub min_length: Option<u64>,
    /// The most characters of a string.
    pub max_length: Option<u64>,
    /// The least number.
    pub minimum: Option<i64>,
    /// The greatest number.
    pub maximum: Option<i64>,
    /// What the items of a list must be.
    pub items: Option<Box<ParameterDocument>>,
    /// What the values of a map must be, by key; another key is refused unless `additionalProperties` allows it.
    pub properties: Option<BTreeMap<String, ParameterDocument>>,
    /// What the values of a map's other keys must be.
    pub additional_properties: Option<Box<ParameterDocument>>,
}
