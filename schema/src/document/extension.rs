//! Declarations of collections.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::ParameterDocument;
use crate::resource::OrderClass;

/// What the ids of a declared collection are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExtensionIds {
    /// Names, of any form that the provider takes.
    #[default]
    Name,
    /// Absolute paths.
    Path,
}

/// `extensions/<collection>.yaml`: a collection that a plug-in or an adapter provides. One of `plugin`, `dsc` and
/// `ansible` says which.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExtensionDocument {
    /// What it is, for people.
    pub description: Option<String>,
    /// A plug-in, by the name of its file in the hosts' folder of plug-ins.
    pub plugin: Option<String>,
    /// A command resource of DSC v3, by its type: `Owner/Name`.
    pub dsc: Option<String>,
    /// A module of Ansible, by its name: `community.general.ini_file`.
    pub ansible: Option<String>,
    /// The argument that takes the id; needed of a module of Ansible.
    pub id_argument: Option<String>,
    /// What ids are.
    pub ids: ExtensionIds,
    /// In an application it comes after those of the classes before this one, and before those of the classes after.
    pub order: Option<OrderClass>,
    /// What may be managed of a thing, by name.
    pub attributes: BTreeMap<String, ParameterDocument>,
}
