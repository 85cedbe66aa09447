//! The reference page of documents and attributes, made from their JSON Schemas.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::{attributes_schema, document_schemas};
use crate::collection::Collection;
use crate::resource::spec_schema;

const HEAD: &str = "# Documents and attributes
Generated from the schemas in `schema/json/v1/`, which editors can use to complete and check; do not edit it by hand. The rules that documents follow stand in [The state repository](format.md).

An attribute that is omitted is unmanaged. In a resource a template may stand for any value.
";

const COLLECTION_HEAD: &str =
    "<!-- Generated from the doc comments in schema/src/resource/; do not edit it by hand. -->";

/// The page of documents, of what every resource has, and where each resource type is described.
pub(super) fn reference_page() -> String {
    let mut page = String::from(HEAD);
    for (name, schema) in document_schemas() {
        if name != "resources" {
            let about = one_line(schema.get("description"));
            let _ = write!(page, "\n## Document: {name}\n{about}\n\n");
            write_table(&mut page, &properties(&schema), &schema);
        }
        if name == "access" {
            for (definition, what) in [
                ("AccessRule", "A rule"),
                ("ApprovalRule", "An entry of `approvals`"),
                ("OutputRule", "An entry of `outputs`"),
            ] {
                let entry = schema.pointer(&format!("/$defs/{definition}")).cloned().unwrap_or_default();
                let _ = write!(page, "\n{what} has:\n\n");
                write_table(&mut page, &properties(&entry), &schema);
            }
        }
        if name == "application" {
            let parameter = schema.pointer("/$defs/ParameterDocument").cloned().unwrap_or_default();
            page.push_str("\nA parameter is declared by:\n\n");
            write_table(&mut page, &properties(&parameter), &schema);
        }
    }
    let shared: Vec<String> = shared_names();
    let _ = write!(page, "\n## Every resource\n\n");
    let all = properties(&attributes_schema(Collection::Packages));
    write_table(&mut page, &keep(all, |name| shared.iter().any(|one| one == name)), &Value::Null);
    page.push_str("\n## Resources\n\n| collection | what |\n|---|---|\n");
    for collection in Collection::ALL {
        let schema = spec_schema(collection);
        let about = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        let first = about.split("\n\n").next().map(one_line_of).unwrap_or_default();
        let _ = writeln!(page, "| [{collection}](resources/{collection}.md) | {first} |");
    }
    page
}

/// The page of one resource type: its doc comment and its attributes.
pub(super) fn collection_page(collection: Collection) -> String {
    let shared = shared_names();
    let own = |name: &str| !shared.iter().any(|one| one == name) || (name == "mode" && collection.has_permissions());
    let schema = spec_schema(collection);
    let about = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    let mut page = format!("# {collection}\n{}\n\n{}\n\n", COLLECTION_HEAD, about.trim());
    write_table(&mut page, &keep(properties(&attributes_schema(collection)), own), &Value::Null);
    page.push_str("\nWhat every resource has stands in [Documents and attributes](../attributes.md#every-resource).\n");
    page
}

/// The attributes that every collection has.
fn shared_names() -> Vec<String> {
    let in_all =
        |name: &String| Collection::ALL.iter().all(|one| properties(&attributes_schema(*one)).contains_key(name));
    properties(&attributes_schema(Collection::Packages)).keys().filter(|name| in_all(name)).cloned().collect()
}

fn properties(schema: &Value) -> Map<String, Value> {
    schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default()
}

fn keep(all: Map<String, Value>, wanted: impl Fn(&str) -> bool) -> Map<String, Value> {
    all.into_iter().filter(|(name, _)| wanted(name)).collect()
}

fn write_table(page: &mut String, properties: &Map<String, Value>, root: &Value) {
    page.push_str("| name | value | meaning |\n|---|---|---|\n");
    for (name, schema) in properties {
        let words = words_of(schema, root).join(", ").replace('|', "\\|");
        let meaning = one_line(schema.get("description")).replace('|', "\\|");
        let _ = writeln!(page, "| `{name}` | {words} | {meaning} |");
    }
}

/// What may stand there, in words.
fn words_of(schema: &Value, root: &Value) -> Vec<String> {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let Some(name) = target.strip_prefix("#/$defs/") else { return vec!["resources".to_owned()] };
        return match root.pointer(&format!("/$defs/{name}")) {
            Some(found) if name != "ParameterDocument" => words_of(found, root),
            _ => vec!["declaration".to_owned()],
        };
    }
    if let Some(word) = schema.get("const").and_then(Value::as_str) {
        return vec![format!("`{word}`")];
    }
    for choice in ["anyOf", "oneOf"] {
        if let Some(choices) = schema.get(choice).and_then(Value::as_array) {
            let mut words: Vec<String> = choices.iter().flat_map(|one| words_of(one, root)).collect();
            words.dedup();
            return words;
        }
    }
    let types = match schema.get("type") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => return vec!["anything".to_owned()],
    };
    types.into_iter().filter(|one| *one != "null").map(|one| word_of(one, schema, root)).collect()
}

fn word_of(of_type: &str, schema: &Value, root: &Value) -> String {
    let inner =
        |key: &str| schema.get(key).filter(|inner| inner.is_object()).map(|inner| words_of(inner, root).join(" or "));
    match of_type {
        "array" => inner("items").map_or_else(|| "list".to_owned(), |items| format!("list of {items}")),
        "object" => inner("additionalProperties").map_or_else(|| "map".to_owned(), |values| format!("map of {values}")),
        "boolean" => "true or false".to_owned(),
        "string" => match schema.get("pattern").and_then(Value::as_str) {
            Some("^[0-7]{3,4}$") => "octal mode".to_owned(),
            _ => "string".to_owned(),
        },
        other => other.to_owned(),
    }
}

fn one_line(text: Option<&Value>) -> String {
    one_line_of(text.and_then(Value::as_str).unwrap_or_default())
}

fn one_line_of(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
