//! The OpenAPI document of the agent's API, from the types that it is made of.

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use super::{
    CollectionView, CollectionsView, ConvergeView, JSON_TYPE, LiveFacts, PROBLEM_TYPE, PlanView, Problem, ResourceView,
};

/// The OpenAPI 3.1 document.
pub fn agent_openapi() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut types = settings.into_generator();
    let paths = agent_paths(&mut types);
    let schemas = types.take_definitions(true);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "muster-agent",
            "version": "1",
            "description": "What a host is to be, what it is, and how the agent fares with it. On the host it is served \
                on the unix socket /run/muster-agent/api.sock; for the fleet, through the orchestrator.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [
            {"url": "http://localhost", "description": "on the host: curl --unix-socket /run/muster-agent/api.sock"},
            {
                "url": "http://127.0.0.1:8420/api/v1/hosts/{host}",
                "description": "through the orchestrator",
                "variables": {"host": {"default": "web-1", "description": "the host's id"}},
            },
        ],
        "paths": paths,
        "components": {"schemas": schemas},
    })
}

/// The paths of the agent's API.
pub(crate) fn agent_paths(types: &mut SchemaGenerator) -> Value {
    let collection = json!({
        "name": "collection", "in": "path", "required": true, "schema": types.subschema_for::<crate::Collection>(),
    });
    let id = json!({
        "name": "id", "in": "path", "required": true, "schema": {"type": "string"},
        "description": "The real name or path of the thing. A path stands without its first slash and with its others \
            as they are; in an id that is no path, each slash is written as %2F.",
    });
    let all = json!({
        "name": "all", "in": "query", "schema": {"type": "boolean", "default": false},
        "description": "Tell what the host has, too, and not only what is managed.",
    });
    let mut answer = |summary: &str, parameters: Vec<Value>, schema: fn(&mut SchemaGenerator) -> Schema| {
        json!({
            "summary": summary,
            "parameters": parameters,
            "responses": {
                "200": {"description": "The answer.", "content": {JSON_TYPE: {"schema": schema(types)}}},
                "default": {
                    "description": "Why there is none.",
                    "content": {PROBLEM_TYPE: {"schema": types.subschema_for::<Problem>()}},
                },
            },
        })
    };
    json!({
        "/v1": {"get": answer("The collections, and how many resources of each are managed.", vec![], of::<CollectionsView>)},
        "/v1/{collection}": {"get": answer("What is managed in a collection, or all that the host has.",
            vec![collection.clone(), all], of::<CollectionView>)},
        "/v1/{collection}/{id}": {"get": answer("One resource: desired, observed, state, and its last change.",
            vec![collection, id], of::<ResourceView>)},
        "/v1/facts": {"get": answer("What the host is and how it is doing.", vec![], of::<LiveFacts>)},
        "/v1/plan": {"post": answer("What would be changed now. Changes nothing.", vec![], of::<PlanView>)},
        "/v1/converge": {"post": answer("Look at everything now and put it right.", vec![], of::<ConvergeView>)},
    })
}

fn of<T: JsonSchema>(types: &mut SchemaGenerator) -> Schema {
    types.subschema_for::<T>()
}
