//! Exceptions, as documents give them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Map, Value};

/// `exceptions`: address → what holds until when, and why.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Exceptions(pub Map<String, Value>);

/// The fields of an exception that are no attributes of its resource.
pub const EXCEPTION_FIELDS: [&str; 3] = ["reason", "until", "waive"];

impl JsonSchema for Exceptions {
    fn schema_name() -> Cow<'static, str> {
        "Exceptions".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "What holds for a limited time, by address. The host judges the time: afterwards the resource counts as it stands",
            "additionalProperties": {
                "type": "object",
                "description": "Either waive: true, or attributes that hold in place of the resource's own",
                "properties": {
                    "reason": {"type": "string", "minLength": 1, "description": "Why, for people"},
                    "until": {
                        "type": "string",
                        "description": "The last day it holds, as in 2026-12-01: it ends at 24:00 UTC; or a time with its zone"
                    },
                    "waive": {"type": "boolean", "description": "Nothing is asked of the thing; it is only looked at"}
                },
                "required": ["reason", "until"]
            }
        })
    }
}
