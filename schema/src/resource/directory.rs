//! Directories.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::IdForm;
use crate::mode::Mode;
use crate::resource::{ContentForm, NamedAccounts, OrderClass, ResourceSpec};

/// A directory. On creation it gets root:root and mode 0755 where nothing is said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DirectorySpec {
    /// The owner: a user name or a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The group: a group name or a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The permission bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
}

impl ResourceSpec for DirectorySpec {
    const ID: IdForm = IdForm::Path;
    const CLASS: Option<OrderClass> = Some(OrderClass::Paths);
    const CONTENTS: ContentForm = ContentForm::Tree;
    const HAS_PERMISSIONS: bool = true;

    fn accounts(&self) -> NamedAccounts<'_> {
        NamedAccounts::of_owner(&self.owner, &self.group)
    }
}
