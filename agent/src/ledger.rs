//! The ledger of ownership: what the agent manages, and what it found before its first change.
//!
//! One JSON object a line in a plain file that is only appended to and synced before the change it tells of. The last
//! line of an address counts. A torn last line belongs to a change that was not made. It is no part of the store, so
//! that a lost store does not lose the way back.

#![allow(clippy::disallowed_methods)]

mod entry;

pub use entry::Entry;

use muster_schema::Address;
use muster_schema::content::BlobRef;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The file is rewritten when it has so many more lines than entries.
const SPARE_LINES: usize = 10_000;
/// After so many lines at once the map is built anew: it stays in memory for long.
const MANY: usize = 200;

/// The ledger's disk refused.
#[derive(Debug, thiserror::Error)]
#[error("ledger {path}")]
pub struct LedgerError {
    /// The file.
    path: PathBuf,
    /// The system's reason.
    #[source]
    source: std::io::Error,
}

/// What changes in the ledger.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// This is owned now, or owned otherwise than before.
    Own(Box<Entry>),
    /// This is not owned any more.
    Drop(Address),
}

/// All that the agent owns.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    file: File,
    entries: BTreeMap<Address, Entry>,
    lines: usize,
}

impl Ledger {
    /// Reads the ledger at `path`, or begins one.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn open(path: &Path) -> Result<Ledger, LedgerError> {
        let text = read(path)?;
        let entries = load_entries(&text);
        let lines = text.lines().count();
        let file = open_to_append(path)?;
        let mut ledger = Ledger { path: path.to_owned(), file, entries, lines };
        // A line that was cut off would swallow the next one.
        if !text.is_empty() && !text.ends_with('\n') {
            ledger.rewrite()?;
        }
        Ok(ledger)
    }

    /// The entries of the ledger at `path`, and nothing to write with.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn look(path: &Path) -> Result<BTreeMap<Address, Entry>, LedgerError> {
        Ok(load_entries(&read(path)?))
    }

    /// The entry of an address.
    pub fn get(&self, address: &Address) -> Option<&Entry> {
        self.entries.get(address)
    }

    /// All entries, by address.
    pub fn entries(&self) -> &BTreeMap<Address, Entry> {
        &self.entries
    }

    /// Writes `lines` down; they survive a power cut when this returns.
    ///
    /// # Errors
    /// When the disk refuses. What the lines tell of must then not be done.
    pub fn commit(&mut self, lines: Vec<Line>) -> Result<(), LedgerError> {
        if lines.is_empty() {
            return Ok(());
        }
        let mut text = Vec::new();
        for line in &lines {
            serde_json::to_writer(&mut text, line).map_err(|error| self.error(error.into()))?;
            text.push(b'\n');
        }
        #[cfg(test)]
        crate::test_crash::point();
        self.file.write_all(&text).and_then(|()| self.file.sync_data()).map_err(|source| self.error(source))?;
        let count = lines.len();
        for line in lines {
            take(&mut self.entries, line);
        }
        if count >= MANY {
            // What came in order filled the nodes by half.
            self.entries = std::mem::take(&mut self.entries).into_iter().collect();
        }
        self.lines += count;
        if self.lines > self.entries.len() + SPARE_LINES {
            self.rewrite()?;
        }
        Ok(())
    }

    /// The contents that the way back needs.
    pub fn contents(&self) -> HashSet<BlobRef> {
        self.entries.values().flat_map(Entry::contents).collect()
    }

    /// Writes the entries to a new file and lets it take the old one's place.
    fn rewrite(&mut self) -> Result<(), LedgerError> {
        let fresh = self.path.with_extension("new");
        let mut text = Vec::new();
        for entry in self.entries.values() {
            let line = Line::Own(Box::new(entry.clone()));
            serde_json::to_writer(&mut text, &line).map_err(|error| self.error(error.into()))?;
            text.push(b'\n');
        }
        let swap = || -> std::io::Result<()> {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
            file.write_all(&text)?;
            file.sync_all()?;
            std::fs::rename(&fresh, &self.path)?;
            self.path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
        };
        swap().map_err(|source| self.error(source))?;
        self.file = open_to_append(&self.path)?;
        self.lines = self.entries.len();
        Ok(())
    }

    fn error(&self, source: std::io::Error) -> LedgerError {
        LedgerError { path: self.path.clone(), source }
    }
}

fn read(path: &Path) -> Result<String, LedgerError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(LedgerError { path: path.to_owned(), source }),
    }
}

fn load_entries(text: &str) -> BTreeMap<Address, Entry> {
    let mut entries = BTreeMap::new();
    for line in text.lines() {
        // Damage costs the lines that it hit and no others; what they told of is then `Retained/NoOriginal`.
        if let Ok(line) = serde_json::from_str(line) {
            take(&mut entries, line);
        }
    }
    entries
}

fn take(entries: &mut BTreeMap<Address, Entry>, line: Line) {
    match line {
        Line::Own(entry) => drop(entries.insert(entry.resource.address.clone(), *entry)),
        Line::Drop(address) => drop(entries.remove(&address)),
    }
}

fn open_to_append(path: &Path) -> Result<File, LedgerError> {
    let open = || -> std::io::Result<File> {
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        file.sync_all()?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())?;
        Ok(file)
    };
    open().map_err(|source| LedgerError { path: path.to_owned(), source })
}
