//! What every layer may have: applications, settings, resources; and labels.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::collection::Collection;
use crate::document::attributes::templated_attributes_schema;

/// Labels by name. Selectors read them; templates see them as `host.labels`.
pub type Labels = BTreeMap<String, String>;

/// `applications`: instance → parameters, or null to take the assignment back.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Assignments(pub Map<String, Value>);

/// `settings`: application → parameter → value, and free settings beside.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Settings(pub Map<String, Value>);

/// `resources`: collection → id → attributes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Resources(pub Map<String, Value>);

impl JsonSchema for Assignments {
    fn schema_name() -> Cow<'static, str> {
        "Assignments".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "Assigned applications, each with values for its parameters; null takes an assignment back. A second instance of one application: {name: {use: application, …}}",
            "additionalProperties": {
                "type": ["object", "null"],
                "properties": {
                    "use": {"type": "string", "description": "The application, where the instance has another name"}
                }
            }
        })
    }
}

impl JsonSchema for Settings {
    fn schema_name() -> Cow<'static, str> {
        "Settings".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "Values for parameters, by application; free settings beside them. Values may be templates"
        })
    }
}

impl JsonSchema for Resources {
    fn schema_name() -> Cow<'static, str> {
        "Resources".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"$ref": "resources.json"})
    }

    fn inline_schema() -> bool {
        true
    }
}

/// The JSON Schema of `resources`, the same in every document.
pub(super) fn resources_schema() -> Value {
    let collections: Map<String, Value> = Collection::ALL
        .into_iter()
        .map(|collection| (collection.name().to_owned(), json!({"$ref": format!("resources/{collection}.json")})))
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Resources",
        "description": "Resources by collection and id; ids may be templates",
        "type": "object",
        "properties": collections,
        "additionalProperties": {
            "description": "A collection that extensions/ declares",
            "type": ["object", "null"],
            "additionalProperties": {"type": ["object", "null"]}
        }
    })
}

/// The JSON Schema of the resources of one collection, by id.
pub fn collection_schema(collection: Collection) -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": collection.name(),
        "type": "object",
        "additionalProperties": templated_attributes_schema(collection)
    })
}
