//! Directories.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::IdForm;
use crate::mode::Mode;
use crate::resource::{ContentForm, Meta, NamedAccounts, OrderClass, ResourceSpec};

/// A directory. On creation it gets root:root and mode 0755 where nothing is said. What is in it is touched only with
/// `purge` and `recurse`.
///
/// With `purge: true` files, links and folders below that no resource manages are removed, now and whenever one
/// appears; in the folders of a tree that has more than 256, with the next sweep. Devices, sockets and FIFOs stay, and
/// so does everything that is mounted below. More than 100 things, or more than 8 MiB of them, are `blocked`: nobody
/// means to lose so much at once.
///
/// With `recurse: true` all folders below get its `owner`, `group` and `mode`, and all files its `owner`, `group` and
/// `file_mode`, now and whenever one differs; a set-id bit goes where the owner changes. Links are neither followed nor
/// changed, mounts are not entered, files with another name (hard links) are left alone, and so is what another resource
/// manages, a directory of its own with all below, and what may lock everybody out. More than 20,000 things, and folders
/// of the system such as `/etc` and `/usr`, are `blocked`.
///
/// ```yaml
/// directories:
///   /etc/nginx/conf.d: {purge: true, purge_ignore: ["*.local"]}
///   /srv/app: {owner: app, group: app, mode: "0750", file_mode: "0640", recurse: true}
/// ```
///
/// When the directory or its `purge` leaves, what the first purge removed comes back, with content, owner and mode.
/// What appears later is drift, and is not kept. When its `recurse` leaves, all that was below when it first changed
/// something gets back owner, group and mode.
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
    /// Whether owner, group and mode go for all below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recurse: Option<bool>,
    /// The permission bits of files below, with `recurse`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_mode: Option<Mode>,
    /// Whether what no resource manages is removed from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purge: Option<bool>,
    /// What purging leaves alone, with all below: names, or paths below the directory. `*` stands for any text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purge_ignore: Option<Vec<String>>,
    /// How many levels of folders `purge` and `recurse` look into, 1 for the directory alone; all where nothing is said.
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
        let recurses = self.recurse == Some(true);
        let says_something = self.owner.is_some() || self.group.is_some() || self.mode.is_some();
        if recurses && !says_something && self.file_mode.is_none() {
            return Some("has a 'recurse', but says neither owner nor group nor a mode".to_owned());
        }
        if self.file_mode.is_some() && !recurses {
            return Some("has a 'file_mode' without 'recurse'".to_owned());
        }
        if self.max_depth.is_some() && recurses && self.purge_ignore.is_none() {
            return None;
        }
        let narrows = self.purge_ignore.is_some() || self.max_depth.is_some();
        (narrows && self.purge != Some(true)).then(|| "narrows a purge that it does not ask for".to_owned())
    }
}
