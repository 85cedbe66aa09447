//! Directories.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::IdForm;
use crate::mode::Mode;
use crate::resource::{ContentForm, Meta, NamedAccounts, OrderClass, ResourceSpec};

/// A directory. On creation it gets root:root and mode 0755 where nothing is said. What is in it is touched only with
/// `purge`.
///
/// With `purge: true` files, links and folders below that no resource manages are removed, now and whenever one
/// appears; in the folders of a tree that has more than 256, with the next sweep. Devices, sockets and FIFOs stay, and
/// so does everything that is mounted below. More than 100 things, or more than 8 MiB of them, are `blocked`: nobody
/// means to lose so much at once.
///
/// ```yaml
/// directories:
///   /etc/nginx/conf.d: {purge: true, purge_ignore: ["*.local"]}
/// ```
///
/// When the directory or its `purge` leaves, what the first purge removed comes back, with content, owner and mode.
/// What appears later is drift, and is not kept.
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
    /// Whether what no resource manages is removed from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purge: Option<bool>,
    /// What purging leaves alone, with all below: names, or paths below the directory. `*` stands for any text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purge_ignore: Option<Vec<String>>,
    /// How many levels of folders purging looks into, 1 for the directory alone; all where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_depth: Option<u32>,
}

impl ResourceSpec for DirectorySpec {
    const ID: IdForm = IdForm::Path;
    const CLASS: Option<OrderClass> = Some(OrderClass::Paths);
    const CONTENTS: ContentForm = ContentForm::Tree;
    const HAS_PERMISSIONS: bool = true;

    fn accounts(&self) -> NamedAccounts<'_> {
        NamedAccounts::of_owner(&self.owner, &self.group)
    }

    fn contradiction(&self, _: &Meta) -> Option<String> {
        if self.max_depth == Some(0) {
            return Some("has a 'max_depth' of 0, which is nothing".to_owned());
        }
        let narrows = self.purge_ignore.is_some() || self.max_depth.is_some();
        (narrows && self.purge != Some(true)).then(|| "narrows a purge that it does not ask for".to_owned())
    }
}
