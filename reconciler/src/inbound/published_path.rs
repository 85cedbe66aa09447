//! The paths of the published tree, and who may fetch them.

use std::path::PathBuf;
use std::str::FromStr;

use muster_schema::{HostId, Sha256Digest};

/// A path that the published tree can have; nothing else is ever opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublishedPath {
    /// `root.json`, `<version>.root.json` or a signature of one: for everyone.
    Root(PathBuf),
    /// A head, a manifest or a signature of one: for its host.
    Host(HostId, PathBuf),
    /// A blob: for every enrolled host that knows its digest.
    Blob(PathBuf),
}

/// The text is no path of the published tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no such path in the published tree")]
pub struct NoSuchPath;

impl PublishedPath {
    /// The path below the tree's top.
    pub fn relative(&self) -> &PathBuf {
        match self {
            PublishedPath::Root(path) | PublishedPath::Host(_, path) | PublishedPath::Blob(path) => path,
        }
    }
}

impl FromStr for PublishedPath {
    type Err = NoSuchPath;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = PathBuf::from(text);
        let parts: Vec<&str> = text.split('/').collect();
        match parts[..] {
            [name] if is_root(without_signature(name)) => Ok(PublishedPath::Root(path)),
            ["hosts", id, name] if is_of_host(without_signature(name)) => {
                let id = id.parse().map_err(|_| NoSuchPath)?;
                Ok(PublishedPath::Host(id, path))
            }
            ["blobs", name] if is_digest(name) => Ok(PublishedPath::Blob(path)),
            _ => Err(NoSuchPath),
        }
    }
}

/// `name` without the end `.<key id>.minisig`, where it has that.
fn without_signature(name: &str) -> &str {
    let stem = name.strip_suffix(".minisig").and_then(|stem| stem.rsplit_once('.'));
    let is_key_id = |id: &str| id.len() == 16 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'A'..=b'F'));
    match stem {
        Some((document, key_id)) if is_key_id(key_id) => document,
        _ => name,
    }
}

fn is_root(name: &str) -> bool {
    let version = |text: &str| !text.starts_with('0') && text.parse::<u64>().is_ok_and(|v| v.to_string() == text);
    name == "root.json" || name.strip_suffix(".root.json").is_some_and(version)
}

fn is_of_host(name: &str) -> bool {
    name == "head.json" || name.strip_suffix(".json").is_some_and(is_digest)
}

fn is_digest(name: &str) -> bool {
    name.parse::<Sha256Digest>().is_ok_and(|digest| digest.to_string() == name)
}
