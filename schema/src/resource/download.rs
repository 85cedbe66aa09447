//! Files from elsewhere.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::line::check_edited_path;
use super::transfer_url::check_http_url;
use crate::address::IdForm;
use crate::digest::Sha256Digest;
use crate::mode::Mode;
use crate::resource::{Meta, NamedAccounts, OrderClass, OwnPath, ResourceSpec};

/// A file from a web server, bound by its SHA-256 digest: where it comes from does not matter, what it is does. The id
/// is a free name.
///
/// Nothing is fetched while the file at `path` has the digest. Else the file is written beside its place as it comes,
/// for root's eyes alone, and takes the place in one step when its digest is the right one; a wrong, cut off or endless
/// answer is an `error` and leaves nothing behind. `http` is as good as `https` here, for the digest stands in a signed
/// commit; but who listens sees what is fetched. At most five redirects are followed. A URL has no credentials: they
/// would stand in Git and in reports. A file that is on the host already is no download: `file:` is refused.
///
/// The folder must be there. `timeout` counts for the whole of it, 600 seconds where nothing is said, and `retry` for
/// further attempts. A file that nobody else may have is managed by one resource: `files` with the same path are a
/// fault.
///
/// ```yaml
/// downloads:
///   tool:
///     path: /usr/local/bin/tool
///     url: https://example.org/tool-1.2
///     sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
///     mode: "0755"
///     timeout: 120
/// ```
///
/// On creation it gets root:root and mode 0644 where nothing is said. When it leaves, content, owner and mode go back to
/// what was found, or the file goes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DownloadSpec {
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Where it is fetched: `http` or `https`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The SHA-256 digest of its content, in small letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256Digest>,
    /// The owner: a user name or a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The group: a group name or a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The permission bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The most that is fetched, in bytes; 1 GiB where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
}

impl ResourceSpec for DownloadSpec {
    const ID: IdForm = IdForm::Free;
    const CLASS: Option<OrderClass> = Some(OrderClass::Paths);
    const HAS_PERMISSIONS: bool = true;
    const OWN_PATH: OwnPath = OwnPath::Whole("path");

    fn own_path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    fn accounts(&self) -> NamedAccounts<'_> {
        NamedAccounts::of_owner(&self.owner, &self.group)
    }

    fn place(&self) -> Option<String> {
        self.path.clone()
    }

    fn contradiction(&self, _: &Meta) -> Option<String> {
        if let Some(reason) = check_edited_path(&self.path) {
            return Some(reason);
        }
        if self.sha256.is_none() {
            return Some("needs a 'sha256': without it nobody knows what is fetched".to_owned());
        }
        check_http_url(&self.url)
    }
}
