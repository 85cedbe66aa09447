//! Archives that are unpacked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::line::check_edited_path;
use super::transfer_url::check_http_url;
use crate::address::{IdForm, is_clean_absolute};
use crate::content::BlobRef;
use crate::digest::Sha256Digest;
use crate::resource::{ContentForm, Meta, NamedAccounts, OrderClass, OwnPath, ResourceSpec};

/// Deeper trees are cut off by nobody who means well.
const MAX_STRIP: u32 = 32;
/// More do not fit into an agent's memory.
const MAX_ENTRIES: u32 = 200_000;

/// An archive, unpacked into the folder `dest`: tar, or tar in gzip, as its first bytes say. The id is a free name.
///
/// It comes from one of `url` (as [downloads](downloads.md) do), `source` in the repository (or `content`), and `path`
/// on the host, where a resource that it `requires` may have put it. `sha256` binds what comes from a `url` or `path`.
///
/// The whole archive is read and checked before anything is written. One of these refuses it, as `blocked`: a name that
/// is absolute, has `..` or is no UTF-8; a link that leads out of `dest`, or an entry behind a link; a hard link, a
/// device, a FIFO, a sparse file; a set-id bit, another compression; two entries of one name; more than `max_bytes`
/// unpacked or more than `max_entries`. Nothing is written through a link that is on the host either, and no folder is
/// replaced by a file or a file by a folder. Owners that the archive names do not count: all is root's, or `owner`'s and `group`'s; nothing
/// is made writable for everybody.
///
/// The agent keeps an inventory of what it unpacked. A file of it that is missing or differs in content, mode or owner
/// is drift, and comes from the archive again; to heal, the archive is fetched again. Drift is noticed as it happens in
/// the first 256 folders below `dest`, deeper at the next sweep. Other files in `dest` are nobody's business, and a path
/// that another resource manages is left to that. A newer archive takes away what the older one had and it has not.
/// `directories` may manage `dest` or what it is in; a `purge` leaves what was unpacked. Two archives in one `dest` are
/// `blocked`.
///
/// When it leaves, or with `state: absent`, what was unpacked goes, files that it replaced come back, and folders go when
/// they are empty. A file that was edited since stays, and the archive is `retained` until somebody removes the file.
/// More than 8 MiB of files to replace are `blocked`: they could not all be kept.
///
/// ```yaml
/// archives:
///   app:
///     url: https://example.org/app-1.2.tar.gz
///     sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
///     dest: /opt/app
///     strip: 1
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ArchiveSpec {
    /// The archive, from the repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<BlobRef>,
    /// Where the archive is fetched: `http` or `https`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Where the archive lies on the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The SHA-256 digest of the archive, in small letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256Digest>,
    /// The folder that it is unpacked into. It is made where it is missing, the folder that it is in is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dest: Option<String>,
    /// How many leading parts of each name are left out; entries that have no more parts are too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strip: Option<u32>,
    /// The owner of everything in it: a user name or a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The group of everything in it: a group name or a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The most bytes, of the archive itself and unpacked; 1 GiB where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
    /// The most entries, up to 200,000; 20,000 where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_entries: Option<u32>,
}

impl ArchiveSpec {
    /// The digest that the archive has to have.
    pub fn digest(&self) -> Option<Sha256Digest> {
        self.content.map(|content| content.sha256).or(self.sha256)
    }
}

impl ResourceSpec for ArchiveSpec {
    const ID: IdForm = IdForm::Free;
    const CLASS: Option<OrderClass> = Some(OrderClass::Paths);
    const CONTENTS: ContentForm = ContentForm::Whole;
    const OWN_PATH: OwnPath = OwnPath::Within("dest");

    fn own_path(&self) -> Option<&str> {
        self.dest.as_deref()
    }

    fn contents(&self) -> Vec<(&'static str, BlobRef)> {
        self.content.map(|content| ("content", content)).into_iter().collect()
    }

    fn set_content(&mut self, _: &str, content: BlobRef) {
        self.content = Some(content);
    }

    fn accounts(&self) -> NamedAccounts<'_> {
        NamedAccounts::of_owner(&self.owner, &self.group)
    }

    fn place(&self) -> Option<String> {
        self.dest.clone()
    }

    fn contradiction(&self, _: &Meta) -> Option<String> {
        if let Some(reason) = check_unpacking(&self.dest, self.max_entries) {
            return Some(reason);
        }
        if self.strip.is_some_and(|strip| strip > MAX_STRIP) {
            return Some(format!("strips more than {MAX_STRIP} parts of names"));
        }
        match (&self.content, &self.url, &self.path) {
            (Some(_), None, None) if self.sha256.is_none() => None,
            (Some(_), None, None) => Some("has a 'sha256' beside a content, which is bound already".to_owned()),
            (None, Some(_), None) => self.needs_digest().or_else(|| check_http_url(&self.url)),
            (None, None, Some(_)) => self.needs_digest().or_else(|| check_edited_path(&self.path)),
            (None, None, None) => Some("needs one of 'url', 'source' and 'path'".to_owned()),
            _ => Some("has more than one of 'url', 'source' and 'path'".to_owned()),
        }
    }
}

/// Why nothing can be unpacked there, or not so much, as the end of a sentence.
pub(super) fn check_unpacking(dest: &Option<String>, max_entries: Option<u32>) -> Option<String> {
    match dest.as_deref() {
        None => Some("needs a 'dest'".to_owned()),
        Some(dest) if !is_clean_absolute(dest) => Some(format!("has no clean absolute path in 'dest', but {dest:?}")),
        Some(_) if max_entries.is_some_and(|most| most > MAX_ENTRIES) => {
            Some(format!("allows more than {MAX_ENTRIES} entries"))
        }
        Some(_) => None,
    }
}

impl ArchiveSpec {
    fn needs_digest(&self) -> Option<String> {
        self.sha256.is_none().then(|| "needs a 'sha256': without it nobody knows what is unpacked".to_owned())
    }
}
