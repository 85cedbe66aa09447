//! Writes a host's key into its file, and leaves what people wrote as it is.

use std::collections::BTreeSet;
use std::sync::Arc;

use age::x25519::Recipient;
use muster_schema::PublicKey;

use crate::model::{Node, NodeValue, load_yaml};

#[cfg(test)]
mod tests;

/// Why a host's file is not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostFileError {
    /// Another key stands there. A new key is a new machine: a person decides.
    #[error("the file has the key {0} already; remove that line first if this host was set up anew")]
    OtherKey(String),
    /// It takes this key back.
    #[error("'revoked_keys' in the file takes this key back; remove it there first if it is to count again")]
    Revoked,
    /// What is to be the recipient is none: it could be any lines of the file.
    #[error("what the machine is said to have as its recipient is no X25519 recipient of age; nothing was written")]
    Recipient,
    /// It is of no form that this edit knows.
    #[error("the file is no YAML map in block form; write the key into it by hand")]
    Form,
}

/// The text of a host's file with `key` and `recipient` in it: `text` is what
/// is there, none where there is no file yet. Comments and order stay. The key
/// `before` may stand there and is replaced.
///
/// # Errors
/// When the file has another key, or is not a block map; or `recipient`, which others say, is no recipient.
pub fn approve_host_file(
    text: Option<&str>,
    key: &PublicKey,
    recipient: &str,
    before: Option<&PublicKey>,
) -> Result<String, HostFileError> {
    if recipient.parse::<Recipient>().is_err() {
        return Err(HostFileError::Recipient);
    }
    let mut lines = Vec::new();
    for line in text.unwrap_or_default().lines() {
        match line.split_once(':') {
            Some(("key", value)) => check_same_key(value, [Some(key), before])?,
            _ => lines.push(line),
        }
    }
    let revoked = text.and_then(|text| load_yaml(&Arc::from("host file"), text.as_bytes()).ok());
    if revoked.is_some_and(|root| revoked_keys_of(&root).contains(&key.to_string())) {
        return Err(HostFileError::Revoked);
    }
    let added = [format!("key: \"{key}\""), format!("recipient: \"{recipient}\"")];
    let (text, root) = rewrite(&lines, &added)?;
    let holds_key = root.get("key").and_then(Node::as_str).is_some_and(|held| held == key.to_string());
    if holds_key { Ok(text) } else { Err(HostFileError::Form) }
}

/// The text of a host's file without a key and a recipient, in which `revoked_keys` takes back the key that was there;
/// where none was, `bound`, the key of the machine that is the host by a token. None where there is neither.
///
/// # Errors
/// When the file is not a block map, or its `revoked_keys` is no list in one line.
pub fn revoke_host_file(text: &str, bound: Option<&PublicKey>) -> Result<Option<String>, HostFileError> {
    let before = load_yaml(&Arc::from("host file"), text.as_bytes()).map_err(|_| HostFileError::Form)?;
    let held = before.get("key").and_then(Node::as_str);
    let revoked = held.map(str::to_owned).or_else(|| bound.map(ToString::to_string));
    let is_of = |line: &&str, field: &str| matches!(line.split_once(':'), Some((word, _)) if word == field);
    let lines: Vec<&str> = text.lines().filter(|line| !is_of(line, "key") && !is_of(line, "revoked_keys")).collect();
    let keys: BTreeSet<String> = revoked_keys_of(&before).into_iter().chain(revoked.clone()).collect();
    let keys: Vec<String> =
        keys.iter().filter(|key| key.parse::<PublicKey>().is_ok()).map(|key| format!("\"{key}\"")).collect();
    let line = format!("revoked_keys: [{}]", keys.join(", "));
    let (text, root) = rewrite(&lines, if keys.is_empty() { &[] } else { std::slice::from_ref(&line) })?;
    if root.get("key").is_some_and(|key| !key.is_null()) || revoked_keys_of(&root).len() != keys.len() {
        return Err(HostFileError::Form);
    }
    Ok(revoked.map(|_| text))
}

fn revoked_keys_of(root: &Node) -> Vec<String> {
    let NodeValue::List(keys) = root.get("revoked_keys").map_or(&NodeValue::Null, |node| &node.value) else {
        return Vec::new();
    };
    keys.iter().filter_map(Node::as_str).map(str::to_owned).collect()
}

/// The lines but for the recipient's, with others added behind comments at the head and a document start; and what
/// they come to.
fn rewrite(lines: &[&str], added: &[String]) -> Result<(String, Node), HostFileError> {
    if lines.iter().any(|line| is_foreign(line)) {
        return Err(HostFileError::Form);
    }
    let stays = |line: &&&str| !matches!(line.split_once(':'), Some(("recipient", _)));
    let mut lines: Vec<&str> = lines.iter().filter(stays).copied().collect();
    let head = lines.iter().take_while(|line| line.starts_with('#') || line.trim_end() == "---").count();
    lines.splice(head..head, added.iter().map(String::as_str));
    let text = if lines.is_empty() { String::new() } else { lines.join("\n") + "\n" };
    // An indented map, for one, does not take lines at the margin.
    let root = load_yaml(&Arc::from("host file"), text.as_bytes()).map_err(|_| HostFileError::Form)?;
    Ok((text, root))
}

fn check_same_key(value: &str, keys: [Option<&PublicKey>; 2]) -> Result<(), HostFileError> {
    let value = value.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']);
    let is_one = keys.iter().flatten().any(|key| value == key.to_string());
    if value.is_empty() || value == "null" || value == "~" || is_one {
        return Ok(());
    }
    Err(HostFileError::OtherKey(value.chars().take(80).collect()))
}

/// Whether a line at the left margin opens something else than a plain `word:`.
fn is_foreign(line: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    match line.chars().next() {
        None | Some(' ' | '#' | '\r') => false,
        Some(_) if line.trim_end() == "---" => false,
        Some(_) => !line.split_once(':').is_some_and(|(word, rest)| {
            !word.is_empty() && word.chars().all(plain) && (rest.is_empty() || rest.starts_with([' ', '\r']))
        }),
    }
}
