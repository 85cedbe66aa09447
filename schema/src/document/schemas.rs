//! The JSON Schemas of all documents.

use schemars::{JsonSchema, schema_for};
use serde_json::Value;

use super::resources::resources_schema;

use super::{
    AccessDocument, ApplicationDocument, EnvironmentDocument, ExtensionDocument, FleetDocument, HostDocument,
    ProfileDocument, RecipientsDocument, TokenDocument,
};

/// The JSON Schema of one document type.
pub fn document_schema<T: JsonSchema>() -> Value {
    schema_for!(T).to_value()
}

/// The JSON Schemas of all documents, by the name of the document's kind.
pub fn document_schemas() -> [(&'static str, Value); 10] {
    [
        ("access", document_schema::<AccessDocument>()),
        ("application", document_schema::<ApplicationDocument>()),
        ("environment", document_schema::<EnvironmentDocument>()),
        ("extension", document_schema::<ExtensionDocument>()),
        ("host", document_schema::<HostDocument>()),
        ("muster", document_schema::<FleetDocument>()),
        ("profile", document_schema::<ProfileDocument>()),
        ("recipients", document_schema::<RecipientsDocument>()),
        ("resources", resources_schema()),
        ("token", document_schema::<TokenDocument>()),
    ]
}
