//! Checkouts of commits.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::archive::check_unpacking;
use super::transfer_url::check_git_url;
use crate::address::IdForm;
use crate::resource::{Meta, NamedAccounts, OrderClass, OwnPath, ResourceSpec};

#[cfg(test)]
mod tests;

/// Digits of a commit's id, by SHA-1 and by SHA-256.
const ID_DIGITS: [usize; 2] = [40, 64];

/// The files of a commit of a Git repository, in the folder `dest`. The id is a free name.
///
/// `revision` is the whole id of a commit: a branch or a tag would move without a commit in the state repository, and
/// without anybody's review. `dest` gets the commit's files, as `git archive` gives them, and no `.git`: nothing there
/// can be asked for by a web server that should not be, and nobody works in it. Submodules come as empty folders, and
/// files of LFS as what Git has of them. `git` must be on the host: `requires: [packages/git]`.
///
/// A `url` begins with `https://`, `http://`, `ssh://` or `file://`. Over `ssh`, the keys and known hosts are those of
/// root on the host, and nothing is asked. The id binds what comes, wherever it comes from. Settings of Git on the host
/// do not count. A server that gives no single commit is asked for all that it has.
///
/// For the rest it is an [archive](archives.md): an edited file is drift and comes from the repository again, other
/// files in `dest` are nobody's business, a newer commit takes away what only the older one had, what was replaced comes
/// back at the end, and what somebody edited is never removed.
///
/// ```yaml
/// checkouts:
///   site:
///     url: https://example.org/site.git
///     revision: 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12
///     dest: /srv/site
///     requires: [packages/git]
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CheckoutSpec {
    /// Where the repository is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The whole id of the commit, in small letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The folder that the files go to. It is made where it is missing, the folder that it is in is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dest: Option<String>,
    /// The owner of everything in it: a user name or a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The group of everything in it: a group name or a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The most bytes of all files; 1 GiB where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
    /// The most files, folders and links, up to 200,000; 20,000 where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_entries: Option<u32>,
}

impl ResourceSpec for CheckoutSpec {
    const ID: IdForm = IdForm::Free;
    const CLASS: Option<OrderClass> = Some(OrderClass::Paths);
    const OWN_PATH: OwnPath = OwnPath::Within("dest");

    fn own_path(&self) -> Option<&str> {
        self.dest.as_deref()
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
        match self.revision.as_deref() {
            None => Some("needs a 'revision': the whole id of a commit".to_owned()),
            Some(revision) if !is_commit_id(revision) => Some(format!(
                "has no whole commit id in 'revision', but {revision:?}: 40 or 64 hexadecimal digits in small letters, as \
                 `git rev-parse` shows them"
            )),
            Some(_) => check_git_url(&self.url),
        }
    }
}

fn is_commit_id(text: &str) -> bool {
    ID_DIGITS.contains(&text.len()) && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}
