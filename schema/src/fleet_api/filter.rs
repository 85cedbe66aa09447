//! What a list may be asked by.

use schemars::generate::SchemaGenerator;
use schemars::{JsonSchema, Schema, json_schema};

use crate::HostId;
use crate::state::{Contact, Health, Sync};

use super::{EventKind, Verdict};

/// A query parameter which leaves only those items of a list that it describes.
#[derive(Debug)]
pub struct Filter {
    /// The parameter's name.
    pub name: &'static str,
    /// What stays.
    pub description: &'static str,
    /// The values that it takes.
    pub values: fn(&mut SchemaGenerator) -> Schema,
}

/// Of `/hosts`.
pub const HOST_FILTERS: &[Filter] = &[
    Filter { name: "selector", description: "Whose labels it selects, as `role=web`.", values: text },
    Filter { name: "environment", description: "Of this environment.", values: text },
    Filter { name: "sync", description: "With this state.", values: of::<Sync> },
    Filter { name: "health", description: "With this health.", values: of::<Health> },
    Filter { name: "contact", description: "Heard of like this.", values: of::<Contact> },
    Filter { name: "reason", description: "With this reason, as `WaitingForFacts`.", values: text },
    Filter { name: "search", description: "Whose id or a label's value contains this.", values: text },
];

/// Of `/revisions`.
pub const REVISION_FILTERS: &[Filter] =
    &[Filter { name: "verdict", description: "Judged like this.", values: of::<Verdict> }];

/// Of `/findings`.
pub const FINDING_FILTERS: &[Filter] =
    &[Filter { name: "file", description: "In this file, or below this folder.", values: text }];

/// Of `/events`.
pub const EVENT_FILTERS: &[Filter] = &[
    Filter { name: "host", description: "About this host.", values: of::<HostId> },
    Filter { name: "kind", description: "Of this kind.", values: of::<EventKind> },
];

/// Of `/enrolment`.
pub const PENDING_FILTERS: &[Filter] =
    &[Filter { name: "name", description: "Which claim this name.", values: of::<HostId> }];

/// Of `/enrolment/tokens`.
pub const TOKEN_FILTERS: &[Filter] =
    &[Filter { name: "host", description: "By which a machine is, or was, this host.", values: of::<HostId> }];

fn text(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string"})
}

fn of<T: JsonSchema>(types: &mut SchemaGenerator) -> Schema {
    types.subschema_for::<T>()
}
