//! Checks a tree against a JSON Schema and reports every fault with its place.
//!
//! Of draft 2020-12 it knows what the schema crate's types generate; an unknown
//! keyword allows everything, for serde has the last word on the values.

pub(crate) mod check;
mod coerce;

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

use muster_schema::document::{ParameterDocument, ParameterType};

/// How many references lie in one another before a type that contains itself is no longer followed;
/// what is deeper is left to serde.
const MAX_REFERENCES: usize = 4;

/// What a value must be.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    /// Allowed types; none given allows all.
    types: Vec<Type>,
    /// The only values allowed, if any are given.
    values: Vec<Value>,
    pattern: Option<Regex>,
    /// What the pattern means, for people.
    described: Option<String>,
    lengths: (Option<u64>, Option<u64>),
    range: (Option<i64>, Option<i64>),
    items: Option<Box<Shape>>,
    properties: BTreeMap<String, Shape>,
    required: Vec<String>,
    /// What other keys may hold.
    additional: Additional,
    /// One of these must fit as well, if any are given.
    alternatives: Vec<Shape>,
}

#[derive(Debug, Clone, Default)]
enum Additional {
    #[default]
    Anything,
    Nothing,
    Shape(Box<Shape>),
}

/// A type of JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
    /// A secret; no JSON Schema says that.
    Secret,
}

impl Type {
    fn of_name(name: &str) -> Option<Type> {
        Some(match name {
            "null" => Type::Null,
            "boolean" => Type::Boolean,
            "integer" => Type::Integer,
            "number" => Type::Number,
            "string" => Type::String,
            "array" => Type::Array,
            "object" => Type::Object,
            _ => return None,
        })
    }

    fn described(self) -> &'static str {
        match self {
            Type::Null => "null",
            Type::Boolean => "a boolean",
            Type::Integer => "an integer",
            Type::Number => "a number",
            Type::String => "a string",
            Type::Array => "a list",
            Type::Object => "a map",
            Type::Secret => "a secret",
        }
    }
}

impl Shape {
    /// The shape that a JSON Schema describes.
    pub fn of_schema(schema: &Value) -> Shape {
        Shape::of(schema, schema.get("$defs").unwrap_or(&Value::Null), MAX_REFERENCES)
    }

    fn of(schema: &Value, definitions: &Value, references: usize) -> Shape {
        if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
            let named = name.strip_prefix("#/$defs/").and_then(|name| definitions.get(name));
            return match (named, references.checked_sub(1)) {
                (Some(schema), Some(fewer)) => Shape::of(schema, definitions, fewer),
                _ => Shape::default(),
            };
        }
        let nested = |schema: &Value| Shape::of(schema, definitions, references);
        let strings = |value: &Value| -> Vec<String> {
            let one_or_more = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            one_or_more.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let names = schema.get("type").map(strings).unwrap_or_default();
        let alternatives: Vec<Shape> = ["anyOf", "oneOf"]
            .iter()
            .filter_map(|keyword| schema.get(keyword).and_then(Value::as_array))
            .flatten()
            .map(nested)
            .collect();
        let constants = schema.get("const").map(|value| vec![value.clone()]);
        let shape = Shape {
            types: names.iter().filter_map(|name| Type::of_name(name)).collect(),
            values: constants.or_else(|| schema.get("enum").and_then(Value::as_array).cloned()).unwrap_or_default(),
            pattern: schema.get("pattern").and_then(Value::as_str).and_then(|pattern| Regex::new(pattern).ok()),
            described: schema.get("description").and_then(Value::as_str).map(str::to_owned),
            lengths: (schema.get("minLength").and_then(Value::as_u64), schema.get("maxLength").and_then(Value::as_u64)),
            range: (
                schema.get("minimum").and_then(Value::as_i64),
                schema.get("maximum").and_then(Value::as_i64).or_else(|| greatest(schema)),
            ),
            items: schema.get("items").map(|items| Box::new(nested(items))),
            properties: schema
                .get("properties")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
                .map(|(name, property)| (name.clone(), nested(property)))
                .collect(),
            required: schema.get("required").map(strings).unwrap_or_default(),
            additional: match schema.get("additionalProperties") {
                Some(Value::Bool(false)) => Additional::Nothing,
                Some(other @ Value::Object(_)) => Additional::Shape(Box::new(nested(other))),
                _ => Additional::Anything,
            },
            alternatives,
        };
        shape.without_needless_alternatives()
    }

    /// Alternatives that are constants become values; an alternative `null` becomes a type.
    fn without_needless_alternatives(mut self) -> Shape {
        let constants = |shape: &Shape| !shape.values.is_empty();
        if !self.alternatives.is_empty() && self.alternatives.iter().all(constants) {
            self.values = self.alternatives.drain(..).flat_map(|shape| shape.values).collect();
        }
        let is_null = |shape: &Shape| shape.types == [Type::Null];
        if self.alternatives.len() == 2 && self.alternatives.iter().any(is_null) {
            self.alternatives.retain(|shape| !is_null(shape));
            if let Some(mut only) = self.alternatives.pop() {
                if !only.types.is_empty() {
                    only.types.push(Type::Null);
                }
                if !only.values.is_empty() {
                    only.values.push(Value::Null);
                }
                return only;
            }
        }
        self
    }

    /// The shape that a parameter declares; the error is its pattern's.
    pub fn of_parameter(parameter: &ParameterDocument) -> Result<Shape, regex::Error> {
        let pattern = parameter.pattern.as_deref().map(Regex::new).transpose()?;
        let nested = |parameter: &ParameterDocument| Shape::of_parameter(parameter);
        let items = parameter.items.as_deref().map(nested).transpose()?.map(Box::new);
        let mut properties = BTreeMap::new();
        let mut required = Vec::new();
        for (name, property) in parameter.properties.iter().flatten() {
            properties.insert(name.clone(), nested(property)?);
            if property.required {
                required.push(name.clone());
            }
        }
        let additional = match &parameter.additional_properties {
            Some(additional) => Additional::Shape(Box::new(nested(additional)?)),
            None if parameter.properties.is_some() => Additional::Nothing,
            None => Additional::Anything,
        };
        Ok(Shape {
            types: match parameter.r#type {
                _ if parameter.secret => vec![Type::Secret],
                ParameterType::Any => Vec::new(),
                ParameterType::String => vec![Type::String],
                ParameterType::Integer => vec![Type::Integer],
                ParameterType::Number => vec![Type::Number],
                ParameterType::Boolean => vec![Type::Boolean],
                ParameterType::Array => vec![Type::Array],
                ParameterType::Object => vec![Type::Object],
            },
            values: parameter.r#enum.clone().unwrap_or_default(),
            pattern,
            described: parameter.description.clone(),
            lengths: (parameter.min_length, parameter.max_length),
            range: (parameter.minimum, parameter.maximum),
            items,
            properties,
            required,
            additional,
            alternatives: Vec::new(),
        })
    }

    /// Lets a map have a further key.
    pub(super) fn allow(&mut self, name: &str, shape: Shape) {
        self.properties.insert(name.to_owned(), shape);
    }

    /// The names of known keys.
    pub fn property_names(&self) -> impl Iterator<Item = &str> {
        self.properties.keys().map(String::as_str)
    }
}

/// The greatest number of the machine types that schemars names in `format`.
fn greatest(schema: &Value) -> Option<i64> {
    match schema.get("format")?.as_str()? {
        "uint32" => Some(i64::from(u32::MAX)),
        "int32" => Some(i64::from(i32::MAX)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
