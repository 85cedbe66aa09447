//! The attributes that a resource may have in a document.
//!
//! They are those of the manifest, with contents given in place, by file or by
//! template, and with what is decided at render (`each`, `when`).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::collection::Collection;
use crate::mode::Mode;
use crate::resource::{ContentForm, Enforcement, Existence, OnRemove, Reactions, spec_schema};

/// What every resource may have in a document.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[allow(dead_code, reason = "describes a document; rendering reads it by name")]
struct MetaAttributes {
    /// Whether the thing is to exist.
    state: Option<Existence>,
    /// What the agent does about a difference.
    enforcement: Option<Enforcement>,
    /// Addresses, globs of addresses, or `applications/<application>`: what must have been applied before.
    requires: Option<Vec<String>>,
    /// How long one attempt may take, in seconds.
    timeout: Option<u32>,
    /// How many further attempts follow a failed one.
    retry: Option<u32>,
    /// What happens when the resource leaves.
    on_remove: Option<OnRemove>,
    /// Whether a change of it stands only when the orchestrator is reached after it, and is taken back otherwise. Where
    /// nothing is said: true of network, remote login, firewall, sudo and of the agent itself.
    risky: Option<bool>,
    /// Whether the host has the resource; decided at render.
    when: Option<bool>,
    /// A list or map: one resource for each item, with `key` and `item` in scope.
    each: Option<Each>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "describes a document; rendering reads it by name")]
enum Each {
    List(Vec<Value>),
    Map(BTreeMap<String, Value>),
}

/// What may restart or reload.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[allow(dead_code, reason = "describes a document; rendering reads it by name")]
struct RestartReactions {
    /// Addresses, globs or `applications/<application>`: restart when one of these changed.
    restart_on: Option<Vec<String>>,
    /// Addresses, globs or `applications/<application>`: reload when one of these changed.
    reload_on: Option<Vec<String>>,
}

/// What may run.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[allow(dead_code, reason = "describes a document; rendering reads it by name")]
struct RunReactions {
    /// Addresses, globs or `applications/<application>`: run when one of these changed.
    run_on: Option<Vec<String>>,
}

/// Where a content comes from: one of `content`, `source` and `template`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[allow(dead_code, reason = "describes a document; rendering reads it by name")]
struct ContentAttributes {
    /// The content itself.
    content: Option<String>,
    /// A file below files/, taken as it is.
    source: Option<String>,
    /// A template below files/.
    template: Option<String>,
    /// Further names in the template's scope.
    vars: Option<BTreeMap<String, Value>>,
}

/// A folder below files/ that is put in place as a whole.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[allow(dead_code, reason = "describes a document; rendering reads it by name")]
struct TreeAttributes {
    /// A folder below files/: each file and folder in it is managed below this directory.
    source: Option<String>,
}

/// Either the text itself, or where it comes from.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "describes a document; rendering reads it by name")]
enum ContentAttribute {
    Text(String),
    From(ContentAttributes),
}

/// Permission bits, or what the agent does about a difference.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "describes a document; rendering reads it by name")]
enum ModeOrEnforcement {
    Mode(Mode),
    Enforcement(Enforcement),
}

/// The JSON Schema of a resource's attributes after rendering: no templates are left.
pub fn attributes_schema(collection: Collection) -> Value {
    let mut properties = Map::new();
    extend(&mut properties, schema_of::<MetaAttributes>());
    extend(&mut properties, spec_schema(collection));
    match collection.reactions() {
        Reactions::None => {}
        Reactions::RestartOrReload => extend(&mut properties, schema_of::<RestartReactions>()),
        Reactions::Run => extend(&mut properties, schema_of::<RunReactions>()),
    }
    match collection.contents() {
        ContentForm::None => {}
        ContentForm::Tree => extend(&mut properties, schema_of::<TreeAttributes>()),
        ContentForm::Whole => extend(&mut properties, schema_of::<ContentAttributes>()),
        ContentForm::Attributes(slots) => slots.iter().for_each(|slot| allow_content(&mut properties, slot)),
    }
    if collection.has_permissions() {
        replace::<ModeOrEnforcement>(&mut properties, "mode");
    } else {
        let enforcement = properties.get("enforcement").cloned().unwrap_or_default();
        properties.insert("mode".to_owned(), enforcement);
    }
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

/// Lets the attribute of a slot be a text, or a map that says where its content comes from.
fn allow_content(properties: &mut Map<String, Value>, slot: &str) {
    let Some((outer, inner)) = slot.split_once('.') else { return replace::<ContentAttribute>(properties, slot) };
    let Some(Value::Object(found)) = properties.get(outer).cloned() else { return };
    // What may be left out is `anyOf` of the map and null.
    let choices = found.get("anyOf").and_then(Value::as_array).cloned().unwrap_or_default();
    let map = choices.into_iter().find(|choice| choice.get("properties").is_some()).unwrap_or(found.clone().into());
    let mut nested = map.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    allow_content(&mut nested, inner);
    let schema = json!({
        "description": found.get("description"),
        "type": ["object", "null"],
        "properties": nested,
        "additionalProperties": false,
    });
    properties.insert(outer.to_owned(), schema);
}

/// The JSON Schema of a resource's attributes as they are written: a template may
/// stand for any value, null removes what a lower layer says.
pub(super) fn templated_attributes_schema(collection: Collection) -> Value {
    let mut schema = attributes_schema(collection);
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for property in properties.values_mut() {
            let description = property.get("description").cloned();
            let mut templated = allow_templates(property.take());
            if let (Some(description), Some(schema)) = (description, templated.as_object_mut()) {
                schema.insert("description".to_owned(), description);
            }
            *property = templated;
        }
    }
    json!({"anyOf": [schema, {"type": "null"}]})
}

/// The schema, with a template string in place of any value in it.
fn allow_templates(mut schema: Value) -> Value {
    if let Some(object) = schema.as_object_mut() {
        for nested in ["items", "additionalProperties"] {
            if let Some(found) = object.get_mut(nested).filter(|found| found.is_object()) {
                *found = allow_templates(found.take());
            }
        }
        if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
            for property in properties.values_mut() {
                *property = allow_templates(property.take());
            }
        }
    }
    if is_any_string(&schema) {
        return schema;
    }
    json!({"anyOf": [schema, {"type": "string", "pattern": "\\{[{%]"}]})
}

/// Whether the schema takes every string, and so every template.
fn is_any_string(schema: &Value) -> bool {
    let any_type = schema.get("type").is_some_and(|types| {
        types == "string" || types.as_array().is_some_and(|types| types.contains(&"string".into()))
    });
    any_type && schema.get("pattern").is_none() && schema.get("const").is_none()
}

/// Takes `default: null` away, which says nothing: what is omitted is unmanaged.
fn drop_null_defaults(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.get("default").is_some_and(Value::is_null) {
                object.remove("default");
            }
            object.values_mut().for_each(drop_null_defaults);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_null_defaults),
        _ => {}
    }
}

/// Adds the properties of a schema.
fn extend(properties: &mut Map<String, Value>, mut schema: Value) {
    if let Some(found) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.append(found);
    }
}

/// Gives one property the schema of `T`, and leaves its description.
fn replace<T: JsonSchema>(properties: &mut Map<String, Value>, name: &str) {
    let mut schema = schema_of::<T>();
    let old = properties.get(name).and_then(|old| old.get("description"));
    if let (Some(description), Some(schema)) = (old.cloned(), schema.as_object_mut()) {
        schema.insert("description".to_owned(), description);
        schema.remove("title");
    }
    properties.insert(name.to_owned(), schema);
}

/// The schema of `T`, with nothing referred to by name.
pub(crate) fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    drop_null_defaults(&mut schema);
    schema
}
