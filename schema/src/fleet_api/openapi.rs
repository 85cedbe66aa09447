//! The OpenAPI document of the orchestrator's API, from the types that it is made of.

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::{
    DEFAULT_LIMIT, EVENT_FILTERS, Event, FINDING_FILTERS, Filter, FindingView, FleetView, HOST_FILTERS, HostSummary,
    HostView, MAX_LIMIT, PENDING_FILTERS, Page, PendingView, REVISION_FILTERS, RevisionView, TOKEN_FILTERS, TokenView,
};
use crate::HostId;
use crate::api::{JSON_TYPE, PROBLEM_TYPE, Problem, agent_paths};

const TITLE: &str = "muster";
const DESCRIPTION: &str = "What the orchestrator knows of its fleet, and the hosts themselves through it. Lists come in \
    pages; an answer has an ETag, and If-None-Match spares the one that is known already.";

/// The OpenAPI 3.1 document.
pub fn fleet_openapi() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut types = settings.into_generator();
    let mut paths = own_paths(&mut types);
    paths.extend(host_paths(&mut types));
    let schemas = types.take_definitions(true);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": TITLE,
            "version": "1",
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/api/v1", "description": "this orchestrator"}],
        "security": [{"token": []}, {}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Made by 'muster token create'. Where nobody has one, programs on the \
                        orchestrator's own machine need none.",
                },
            },
        },
    })
}

fn own_paths(types: &mut SchemaGenerator) -> Map<String, Value> {
    let id = json!({"name": "id", "in": "path", "required": true, "schema": types.subschema_for::<HostId>()});
    let mut paths = Map::new();
    let mut add = |path: &str, operation: Value| paths.insert(path.to_owned(), json!({"get": operation}));
    add("/fleet", one::<FleetView>(types, "The fleet at a glance.", &[]));
    add("/hosts", list::<HostSummary>(types, "The hosts that the caller may see, by id.", HOST_FILTERS));
    add("/hosts/{id}", one::<HostView>(types, "Everything that is known of a host.", &[id]));
    add(
        "/revisions",
        list::<RevisionView>(types, "The last revisions that were looked at, newest first.", REVISION_FILTERS),
    );
    add("/findings", list::<FindingView>(types, "Faults of the newest verified revision.", FINDING_FILTERS));
    add("/events", events(types));
    add("/enrolment", list::<PendingView>(types, "Agents that wait for approval, by key.", PENDING_FILTERS));
    add("/enrolment/tokens", list::<TokenView>(types, "Enrolment tokens: open, used and expired.", TOKEN_FILTERS));
    paths
}

/// The agents' own API, which the orchestrator passes on.
fn host_paths(types: &mut SchemaGenerator) -> Map<String, Value> {
    let id = json!({"name": "host", "in": "path", "required": true, "schema": types.subschema_for::<HostId>()});
    let Value::Object(paths) = agent_paths(types) else { return Map::new() };
    let of_host = |(path, mut item): (String, Value)| {
        if let Some(item) = item.as_object_mut() {
            item.insert("parameters".to_owned(), json!([id]));
        }
        (format!("/hosts/{{host}}{path}"), item)
    };
    paths.into_iter().map(of_host).collect()
}

fn one<T: JsonSchema>(types: &mut SchemaGenerator, summary: &str, parameters: &[Value]) -> Value {
    let mut parameters = parameters.to_vec();
    parameters.push(fields());
    operation(types, summary, parameters, |types| json!({JSON_TYPE: {"schema": types.subschema_for::<T>()}}))
}

fn list<T: JsonSchema>(types: &mut SchemaGenerator, summary: &str, filters: &[Filter]) -> Value {
    let parameters = list_parameters(types, filters);
    operation(types, summary, parameters, |types| json!({JSON_TYPE: {"schema": types.subschema_for::<Page<T>>()}}))
}

fn events(types: &mut SchemaGenerator) -> Value {
    let mut parameters = list_parameters(types, EVENT_FILTERS);
    parameters.push(json!({
        "name": "Last-Event-ID", "in": "header", "schema": {"type": "integer", "minimum": 0},
        "description": "The stream goes on behind the event with this id.",
    }));
    let summary = "What happened, oldest first: a page, or with 'Accept: text/event-stream' a stream of server-sent \
        events, which goes on as things happen. An event named 'reset' says that some were missed: read anew what you \
        show.";
    operation(types, summary, parameters, |types| {
        json!({
            JSON_TYPE: {"schema": types.subschema_for::<Page<Event>>()},
            "text/event-stream": {"schema": {"type": "string"}},
        })
    })
}

fn list_parameters(types: &mut SchemaGenerator, filters: &[Filter]) -> Vec<Value> {
    let filter = |filter: &Filter| {
        let schema: Schema = (filter.values)(types);
        json!({"name": filter.name, "in": "query", "description": filter.description, "schema": schema})
    };
    let mut parameters: Vec<Value> = filters.iter().map(filter).collect();
    parameters.push(json!({
        "name": "limit", "in": "query", "description": "The most items of the page.",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    }));
    parameters.push(json!({
        "name": "after", "in": "query", "description": "Where the page begins: `next` of the page before.",
        "schema": {"type": "string"},
    }));
    parameters.push(fields());
    parameters
}

fn fields() -> Value {
    json!({
        "name": "fields", "in": "query", "schema": {"type": "string"},
        "description": "The names of the fields that are wanted, separated by commas; of a list's items, and of what \
            stands at the top only.",
    })
}

fn operation(
    types: &mut SchemaGenerator,
    summary: &str,
    parameters: Vec<Value>,
    content: impl FnOnce(&mut SchemaGenerator) -> Value,
) -> Value {
    json!({
        "summary": summary,
        "parameters": parameters,
        "responses": {
            "200": {
                "description": "The answer.",
                "headers": {"ETag": {"schema": {"type": "string"}, "description": "Changes when the answer does."}},
                "content": content(types),
            },
            "304": {"description": "The answer is the one that If-None-Match names."},
            "default": {
                "description": "Why there is none.",
                "content": {PROBLEM_TYPE: {"schema": types.subschema_for::<Problem>()}},
            },
        },
    })
}
