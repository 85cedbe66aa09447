//! Reads facts from a folder of JSON files: one a host, as the status branch keeps them.
#![allow(clippy::disallowed_methods, reason = "this is where the files are read")]

use std::fs;
use std::path::{Path, PathBuf};

use muster_schema::HostId;
use muster_schema::facts::Facts;
use serde_json::Value;

use crate::render::FactsOfFleet;

/// The most bytes of one host's facts.
pub(in crate::io) const MAX_BYTES: u64 = 256 * 1024;
/// How deep folders may lie in one another.
const MAX_DEPTH: usize = 8;

/// Why facts cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    /// A folder or file cannot be read.
    #[error("{path} cannot be read", path = path.display())]
    Unreadable {
        /// What could not be read.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file holds no facts.
    #[error("{path} holds no facts of a host", path = path.display())]
    NoFacts {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A file's stem is no host id.
    #[error("{path} is not named after a host", path = path.display())]
    NoHost {
        /// The file.
        path: PathBuf,
    },
}

/// Reads `<host>.json` at any depth of `folder`. Each holds facts, or a message with facts in it. Signatures
/// are not looked at: this is for a person who asks what would be.
///
/// # Errors
/// When a file cannot be read, or holds no facts.
pub fn load_facts_folder(folder: &Path) -> Result<FactsOfFleet, FactsError> {
    let mut all = Vec::new();
    load(folder, 0, &mut all)?;
    Ok(all.into_iter().collect())
}

fn load(folder: &Path, depth: usize, all: &mut Vec<(HostId, Facts)>) -> Result<(), FactsError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| FactsError::Unreadable { path, source }
    };
    for entry in fs::read_dir(folder).map_err(unreadable(folder))? {
        let path = entry.map_err(unreadable(folder))?.path();
        let kind = fs::symlink_metadata(&path).map_err(unreadable(&path))?;
        if kind.is_dir() && depth < MAX_DEPTH {
            load(&path, depth + 1, all)?;
        } else if kind.is_file() && kind.len() <= MAX_BYTES && path.extension().is_some_and(|end| end == "json") {
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            let host: HostId = stem.parse().map_err(|_| FactsError::NoHost { path: path.clone() })?;
            let bytes = fs::read(&path).map_err(unreadable(&path))?;
            let facts = facts_of(&bytes).map_err(|source| FactsError::NoFacts { path: path.clone(), source })?;
            all.push((host, facts));
        }
    }
    Ok(())
}

/// Facts, as they are or within a message.
pub(in crate::io) fn facts_of(bytes: &[u8]) -> Result<Facts, serde_json::Error> {
    let value: Value = serde_json::from_slice(bytes)?;
    let within = [value.pointer("/facts"), value.pointer("/body/facts"), value.pointer("/body/facts/facts")];
    for candidate in within.into_iter().flatten() {
        if let Ok(facts) = serde_json::from_value(candidate.clone()) {
            return Ok(facts);
        }
    }
    serde_json::from_value(value)
}
