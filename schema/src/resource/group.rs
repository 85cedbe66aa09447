//! Groups.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::IdForm;
use crate::resource::Membership;
use crate::resource::ResourceSpec;

/// A group of the local account database.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GroupSpec {
    /// The group id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
    /// The users in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<String>>,
    /// How `members` is meant; `min` where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub membership: Option<Membership>,
    /// Whether it is made as a system group; read on creation only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<bool>,
}

impl ResourceSpec for GroupSpec {
    const ID: IdForm = IdForm::Account;
}
