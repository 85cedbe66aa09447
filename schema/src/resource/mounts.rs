//! Mounted file systems.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::IdForm;
use crate::resource::{Meta, OrderClass, ResourceSpec};

/// A file system on a folder: its line in `/etc/fstab`, and whether it is mounted. The id is the folder.
///
/// ```yaml
/// mounts:
///   /srv/data: {what: UUID=0a3407de-014b-458b-b5c1-848e92a327a3, type: ext4, options: noatime, pass: 2}
///   /srv/cache: {what: tmpfs, type: tmpfs, options: "size=64m,mode=0755"}
///   /srv/pub: {what: /home/kim/pub, options: "bind,ro"}
/// ```
///
/// The folder must be there; a resource of [directories](directories.md) with the same path is applied before, what lies
/// below it after. Only the line of this folder is edited. The file system is mounted first and written down then, so
/// that a mistake does not stop the next boot.
///
/// Options are compared in the file alone: the kernel adds its own to those of what is mounted. When they change, what
/// is mounted is remounted. Something else that is mounted on the folder blocks the resource.
///
/// Nothing tells of all mounts and unmounts: they are looked for now and then.
///
/// When the resource leaves, or with `state: absent`, it is unmounted and its line goes, or what was found comes back.
/// What is in use is never unmounted by force: that is an error, and tried again. Something that was mounted without a
/// line in the file is not mounted again.
///
/// Names such as `UUID=` are looked up among the links that udev makes. The hosts of the tests are containers, which
/// have none: what is mounted there is named by folder or type, and a device by its name is tried with links made by
/// hand.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MountSpec {
    /// What is mounted: a device, UUID= or LABEL=, a share, a folder to bind, or the name of a virtual file system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// The type of the file system; `none` where nothing is said, as for `bind`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub fs_type: Option<String>,
    /// Options, with commas between them; `defaults` where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<String>,
    /// When fsck checks it at boot: 0 for never, which counts where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass: Option<u8>,
    /// Whether it has a line in `/etc/fstab`; true where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_fstab: Option<bool>,
    /// Whether it is mounted now; true where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mounted: Option<bool>,
}

impl MountSpec {
    /// Whether it is a folder that shows at another place.
    pub fn is_bind(&self) -> bool {
        self.options.iter().flat_map(|options| options.split(',')).any(|option| matches!(option, "bind" | "rbind"))
    }
}

impl ResourceSpec for MountSpec {
    const ID: IdForm = IdForm::MountPoint;
    const CLASS: Option<OrderClass> = Some(OrderClass::Paths);

    fn contradiction(&self, _: &Meta) -> Option<String> {
        let Some(what) = &self.what else { return Some("needs 'what'".to_owned()) };
        if what.is_empty() || what.starts_with(['-', '#']) || what.contains(char::is_control) {
            return Some(format!("has {what:?}, which cannot be mounted"));
        }
        if self.fs_type.is_none() && !self.is_bind() {
            return Some("needs a 'type'".to_owned());
        }
        let words = [&self.fs_type, &self.options].into_iter().flatten();
        let is_word = |word: &str| {
            !word.is_empty() && !word.starts_with('-') && !word.contains(|c: char| c.is_whitespace() || c.is_control())
        };
        let bad = words.into_iter().find(|word| !is_word(word))?;
        Some(format!("has {bad:?}: a type and options are one word each"))
    }
}
