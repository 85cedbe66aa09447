//! The documents of the state repository: what people write.
//!
//! The folder tells the kind of a document, the path its name. These types give
//! the documents' JSON Schemas, by which the orchestrator checks them and
//! editors complete them; attributes of resources may be templates there.

mod access;
mod application;
pub(crate) mod attributes;
mod environment;
mod exceptions;
mod extension;
mod fleet;
mod host;
mod parameter;
mod profile;
mod recipients;
mod resources;
mod schemas;
pub mod selector;
mod token;

#[cfg(test)]
mod generated;
#[cfg(test)]
mod test_reference;

pub use access::{AccessDocument, AccessRule, ApprovalRule, OutputRule, Verb};
pub use application::ApplicationDocument;
pub use attributes::attributes_schema;
pub use environment::EnvironmentDocument;
pub use exceptions::{EXCEPTION_FIELDS, Exceptions};
pub use extension::{ExtensionDocument, ExtensionIds};
pub use fleet::FleetDocument;
pub use host::{HostDocument, OnRetire};
pub use parameter::{ParameterDocument, ParameterType};
pub use profile::ProfileDocument;
pub use recipients::{RecipientsDocument, SecretDocument};
pub use resources::{Assignments, Labels, Resources, Settings, collection_schema};
pub use schemas::{document_schema, document_schemas};
pub use selector::Selector;
pub use token::TokenDocument;

/// The version of the state repository's language, the `schema` of muster.yaml.
pub const DOCUMENT_SCHEMA_VERSION: u32 = 1;

/// Words that a later version gives a meaning; until then they are refused by name.
pub const RESERVED_FIELDS: [&str; 25] = [
    "acl",
    "arch",
    "backup",
    "bus",
    "count",
    "distribution",
    "groups",
    "machine",
    "max_depth",
    "member",
    "notifications",
    "options",
    "platform",
    "power",
    "purge",
    "purge_ignore",
    "reconcile",
    "recurse",
    "rollout",
    "secrets",
    "selinux",
    "status",
    "template",
    "windows",
    "xattr",
];

/// Folders that a later version gives a meaning; until then they are refused by name.
pub const RESERVED_FOLDERS: [&str; 4] = ["distributions", "platforms", "runs", "scenarios"];

/// Collections that a later version gives a meaning; until then they are refused by name.
pub const RESERVED_COLLECTIONS: [&str; 1] = ["secrets"];

/// Names that mean something in templates or in resources, so that no parameter takes them.
pub const RESERVED_PARAMETERS: [&str; 23] = [
    "application",
    "each",
    "enforcement",
    "facts",
    "host",
    "hosts",
    "item",
    "key",
    "mode",
    "on_remove",
    "reload_on",
    "requires",
    "restart_on",
    "retry",
    "risky",
    "run_on",
    "secret",
    "settings",
    "state",
    "timeout",
    "use",
    "vars",
    "when",
];
