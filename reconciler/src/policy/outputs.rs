//! What documents may bring about, whoever writes them.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use muster_schema::Collection;

use super::ACCESS_POLICY;
use super::bounds::{Bounds, HostLabels};
use super::path_pattern::PathPattern;

/// `outputs` of `policy/access.yaml`. What no entry names is free.
#[derive(Debug, Clone, Default)]
pub struct Outputs(Vec<Output>);

/// One entry.
#[derive(Debug, Clone)]
pub struct Output {
    /// Its first line in the document, from 1.
    pub line: u32,
    /// Which documents and contents.
    pub paths: Vec<PathPattern>,
    /// What they may bring about.
    pub bounds: Bounds,
}

impl Outputs {
    /// These entries.
    pub fn new(entries: Vec<Output>) -> Outputs {
        Outputs(entries)
    }

    /// Whether everything is free.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries, in the document's order.
    pub fn iter(&self) -> impl Iterator<Item = &Output> {
        self.0.iter()
    }

    /// The entries that name the file at `path`.
    pub fn of<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a Output> {
        self.0.iter().filter(move |entry| entry.paths.iter().any(|pattern| pattern.matches(path)))
    }

    /// Whether the file at `path` may bring about something in `collection` on a host with these labels.
    pub fn allow(&self, path: &str, labels: &HostLabels, collection: Collection) -> bool {
        let labels = std::slice::from_ref(labels);
        let mut entries = self.of(path).peekable();
        let mut allowed = entries.peek().is_none();
        for entry in entries {
            allowed |= entry.bounds.hold_host(labels) && entry.bounds.hold_collection(Some(collection));
        }
        allowed
    }

    /// The same for the same entries.
    pub fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for Output { paths, bounds, .. } in &self.0 {
            paths.iter().for_each(|path| path.to_string().hash(&mut hasher));
            bounds.to_string().hash(&mut hasher);
        }
        hasher.finish()
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, by {ACCESS_POLICY}:{}", self.bounds, self.line)
    }
}
