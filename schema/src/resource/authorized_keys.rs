//! Keys that may log in as a user.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::IdForm;
use crate::resource::{Meta, NamedAccounts, ResourceSpec};

/// Keys that may log in as a user by SSH: lines of `~/.ssh/authorized_keys`. The id is a free name, so that several
/// applications may each bring keys for the same user.
///
/// ```yaml
/// authorized_keys:
///   deploy:
///     user: deploy
///     keys:
///       - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH… ci@example.org
///       - key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ… backup@example.org
///         options: command="/usr/bin/backup",restrict
/// ```
///
/// An entry is its options and its key; the comment does not count, and an entry that is there keeps its own. The same
/// key with two different options is two entries. Other entries of the file stay, unless `exclusive` is set: then the
/// file has the entries of all resources for this user and no others.
///
/// Several resources may list entries for one user, more than one of them `exclusive`. Each owns its own: when one of
/// them leaves, its entries go that no other one lists, and what was there before the first of them comes back with the
/// last that is `exclusive`.
///
/// A missing file is made with mode 0600, a missing `.ssh` with 0700, both the user's, before any key is written. The
/// user owns that folder: nothing is written through a link in it.
///
/// When the resource leaves, the entries that it added go, those that `exclusive` removed come back with their comments
/// to their places in the file, and a file or folder that was made for it goes when it is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuthorizedKeysSpec {
    /// Whose file it is; the user must be on the host, or be managed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The entries: each a line as sshd(8) describes it, or a map of `key` and `options`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<AuthorizedKey>>,
    /// Whether the user has no other entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclusive: Option<bool>,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum AuthorizedKey {
    /// A whole line: options if any, type, key, comment.
    Line(String),
    /// The same, options apart.
    Parts(AuthorizedKeyParts),
}

/// An entry with its options apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorizedKeyParts {
    /// Type, key and comment.
    pub key: String,
    /// Options, with commas between them: `from="10.0.0.0/8",no-pty`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<String>,
}

impl AuthorizedKey {
    /// The line of the file.
    pub fn line(&self) -> String {
        match self {
            AuthorizedKey::Line(line) => line.trim().to_owned(),
            AuthorizedKey::Parts(AuthorizedKeyParts { key, options: Some(options) }) if !options.trim().is_empty() => {
                format!("{} {}", options.trim(), key.trim())
            }
            AuthorizedKey::Parts(AuthorizedKeyParts { key, .. }) => key.trim().to_owned(),
        }
    }
}

impl AuthorizedKeysSpec {
    /// The lines that it has of a file.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.keys.iter().flatten().map(AuthorizedKey::line)
    }
}

impl ResourceSpec for AuthorizedKeysSpec {
    const ID: IdForm = IdForm::Free;

    fn accounts(&self) -> NamedAccounts<'_> {
        NamedAccounts::of_user(&self.user)
    }

    fn place(&self) -> Option<String> {
        self.user.clone()
    }

    fn contradiction(&self, _: &Meta) -> Option<String> {
        let (Some(_), Some(keys)) = (&self.user, &self.keys) else {
            return Some("needs a 'user' and 'keys'".to_owned());
        };
        if keys.is_empty() && self.exclusive != Some(true) {
            return Some("has no keys; for a user without any, set 'exclusive'".to_owned());
        }
        let bad = keys.iter().map(AuthorizedKey::line).find(|line| entry_of(line).is_none())?;
        let start: String = bad.chars().filter(|c| !c.is_control()).take(40).collect();
        Some(format!("has an entry that is no line of an authorized_keys file: '{start}'"))
    }
}

/// What an entry is by its options, type and key, without its comment and with single blanks; `None` when the line
/// is none. Form: sshd(8), "AUTHORIZED_KEYS FILE FORMAT".
pub fn entry_of(line: &str) -> Option<String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') || line.contains(|c: char| c.is_control() && c != '\t') {
        return None;
    }
    let (first, rest) = split_unquoted(line);
    let (options, key_type, rest) = match is_key_type(first) {
        true => ("", first, rest),
        false => {
            let (key_type, rest) = rest.trim_start().split_once([' ', '\t'])?;
            (first, key_type, rest)
        }
    };
    let key = rest.split_whitespace().next()?;
    let is_base64 = key.len() >= 16 && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b));
    if !is_key_type(key_type) || !is_base64 {
        return None;
    }
    let separator = if options.is_empty() { "" } else { " " };
    Some(format!("{options}{separator}{key_type} {key}"))
}

fn is_key_type(word: &str) -> bool {
    ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"].iter().any(|start| word.starts_with(start))
}

/// Splits at the first blank that is not in quotes; a backslash keeps a quote from ending them.
fn split_unquoted(line: &str) -> (&str, &str) {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in line.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            ' ' | '\t' if !quoted => return line.split_at(at),
            _ => {}
        }
    }
    (line, "")
}
