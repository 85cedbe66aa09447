//! Regular files.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::IdForm;
use crate::content::BlobRef;
use crate::mode::Mode;
use crate::resource::{AclEntry, AclWho, ContentForm, Meta, NamedAccounts, OrderClass, ResourceSpec};
use crate::secret::{Content, SecretContent};

/// Where people may put extended attributes of their own, as in xattr(7).
const XATTR_SPACES: [&str; 2] = ["user.", "trusted."];
/// The longest name of an extended attribute, in bytes: the kernel's limit.
const MAX_XATTR_NAME_BYTES: usize = 255;

/// A regular file. On creation it gets root:root and mode 0644 where nothing is said; with a secret in its content it
/// always has mode 0600 where nothing is said.
///
/// A new content is written beside the file and takes its place in one step, with owner, mode, extended attributes and
/// access control list already on it: those that are given, and for the rest those of the file that was there. A file
/// that something is mounted on (as containers do with `/etc/resolv.conf`) cannot be replaced; it keeps its inode and
/// is written in place, which a power cut may leave half done: the next look puts that right.
///
/// ```yaml
/// files:
///   /etc/app/key.pem: {source: key.pem, group: app, mode: "0640", acl: ["user:backup:r--"]}
/// ```
///
/// When it leaves, content, owner, mode, the access control list and each extended attribute go back to what was found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FileSpec {
    /// Its whole content. Secrets may stand in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
    /// The owner: a user name or a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The group: a group name or a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The permission bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Tests a candidate before it takes the file's place: an argument vector in
    /// which `{path}` stands for the candidate. Must end with code 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validate: Option<Vec<String>>,
    /// Runs after the change; another end than code 0 restores what was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirm: Option<Vec<String>>,
    /// Whether the file that a new content replaces stays beside it as `NAME~`, for people who look for it. An older
    /// one is replaced. What was found first is kept anyway, and comes back without it; `NAME~` then stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<bool>,
    /// The entries of the access control list beside the permission bits, all of them; an empty list removes it.
    /// The middle digit of `mode` is the mask: no entry gives more than it allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acl: Option<Vec<AclEntry>>,
    /// Extended attributes by name, in `user.` or `trusted.`. Others are left alone. A value that is no text is
    /// written `0s` and its base64, as getfattr does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xattr: Option<BTreeMap<String, String>>,
    /// The label of SELinux, as in `system_u:object_r:etc_t:s0`. A host without SELinux is told `blocked`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selinux: Option<String>,
}

impl ResourceSpec for FileSpec {
    const ID: IdForm = IdForm::Path;
    const CLASS: Option<OrderClass> = Some(OrderClass::Paths);
    const CONTENTS: ContentForm = ContentForm::Whole;
    const HAS_PERMISSIONS: bool = true;
    const SECRET_SLOTS: &'static [&'static str] = &["content"];

    fn contents(&self) -> Vec<(&'static str, BlobRef)> {
        self.content.iter().filter_map(Content::blob).map(|blob| ("content", blob)).collect()
    }

    fn set_content(&mut self, _: &str, content: BlobRef) {
        self.content = Some(content.into());
    }

    fn set_secret_content(&mut self, _: &str, content: SecretContent) {
        self.content = Some(content.into());
    }

    fn secret_contents(&mut self) -> Vec<&mut SecretContent> {
        self.content.iter_mut().filter_map(Content::secret_mut).collect()
    }

    fn secrets(&self) -> Vec<(Cow<'_, str>, &SecretContent)> {
        self.content.iter().filter_map(|content| Some(("content".into(), content.secret()?))).collect()
    }

    fn accounts(&self) -> NamedAccounts<'_> {
        let mut accounts = NamedAccounts::of_owner(&self.owner, &self.group);
        for entry in self.acl.iter().flatten() {
            match &entry.who {
                AclWho::User(name) => accounts.users.push(name),
                AclWho::Group(name) => accounts.groups.push(name),
                AclWho::OwningGroup => {}
            }
        }
        accounts
    }

    fn contradiction(&self, _: &Meta) -> Option<String> {
        if self.validate.as_ref().is_some_and(Vec::is_empty) {
            return Some("has an empty list in 'validate'".to_owned());
        }
        if let Some(secret) = self.content.as_ref().and_then(Content::secret) {
            if let Some(fault) = secret.fault() {
                return Some(fault);
            }
            if self.backup == Some(true) {
                return Some("has a secret and 'backup', which would leave older secrets beside it".to_owned());
            }
        }
        let fits = |name: &str| {
            let space = XATTR_SPACES.iter().find_map(|space| name.strip_prefix(space));
            space.is_some_and(|rest| !rest.is_empty()) && name.len() <= MAX_XATTR_NAME_BYTES && !name.contains('\0')
        };
        if let Some(name) = self.xattr.iter().flat_map(BTreeMap::keys).find(|name| !fits(name)) {
            return Some(format!("names {name:?} in 'xattr'; a name begins with 'user.' or 'trusted.'"));
        }
        let mut people: Vec<&AclWho> = self.acl.iter().flatten().map(|entry| &entry.who).collect();
        people.sort_unstable();
        if people.windows(2).any(|pair| pair.first() == pair.get(1)) {
            return Some("has two entries for the same user or group in 'acl'".to_owned());
        }
        let mask = self.mode.map(|mode| mode.bits() >> 3 & 7);
        let masked = |entry: &&AclEntry| mask.is_some_and(|mask| u32::from(entry.bits) & !mask != 0);
        self.acl.iter().flatten().find(masked).map(|entry| {
            format!("has '{entry}' in 'acl', which gives more than the middle digit of 'mode' lets any entry have")
        })
    }
}
