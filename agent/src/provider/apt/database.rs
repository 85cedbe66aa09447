//! dpkg's database of packages.

use std::collections::HashMap;

use super::stanza::{Event, Stanzas};
use crate::host::{HostError, HostPath, Reader};

#[cfg(test)]
mod tests;

/// Where dpkg keeps it.
pub const STATUS_FILE: &str = "/var/lib/dpkg/status";

/// The packages that are installed, as one pass of reading found them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackageDatabase {
    /// By name; a package may be there in several architectures.
    installed: HashMap<String, Vec<Installed>>,
    /// Which installed packages provide a virtual name.
    providers: HashMap<String, Vec<String>>,
    /// The host's own architecture: that of dpkg itself.
    native: String,
}

/// A package that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Its version.
    pub version: String,
    /// Its architecture, or `all`.
    pub architecture: String,
    /// Whether it is held.
    pub hold: bool,
}

/// What one stanza said.
#[derive(Default)]
struct Record {
    name: String,
    architecture: String,
    version: String,
    provides: String,
    status: String,
}

impl PackageDatabase {
    /// Reads the database. A host without one has no packages.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn load(reader: &mut dyn Reader) -> Result<PackageDatabase, HostError> {
        let mut database = PackageDatabase::default();
        let Ok(path) = HostPath::new(STATUS_FILE) else { return Ok(database) };
        if reader.meta(&path)?.is_none() {
            return Ok(database);
        }
        let mut record = Record::default();
        let mut stanzas = Stanzas::new(|event| match event {
            Event::Field("Package", value) => value.clone_into(&mut record.name),
            Event::Field("Architecture", value) => value.clone_into(&mut record.architecture),
            Event::Field("Version", value) => value.clone_into(&mut record.version),
            Event::Field("Provides", value) => value.clone_into(&mut record.provides),
            Event::Field("Status", value) => value.clone_into(&mut record.status),
            Event::Field(..) => {}
            Event::End => database.add(std::mem::take(&mut record)),
        });
        reader.copy(&path, &mut stanzas)?;
        stanzas.finish();
        Ok(database)
    }

    /// The names of what is installed, in no order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.installed.keys().map(String::as_str)
    }

    /// The package of this name: of the host's own architecture, or of the one that follows a colon.
    pub fn get(&self, name: &str) -> Option<&Installed> {
        let (name, architecture) = name.split_once(':').unwrap_or((name, &self.native));
        self.installed.get(name)?.iter().find(|found| found.architecture == architecture || found.architecture == "all")
    }

    /// The installed packages that provide the virtual package `name`, sorted.
    pub fn providers(&self, name: &str) -> &[String] {
        self.providers.get(name).map_or(&[], Vec::as_slice)
    }

    /// How many packages are installed.
    pub fn len(&self) -> usize {
        self.installed.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.installed.is_empty()
    }

    fn add(&mut self, record: Record) {
        // want, flag and status. Awaited triggers are the business of other packages.
        let mut words = record.status.split(' ');
        let (want, _, status) = (words.next(), words.next(), words.next());
        if !matches!(status, Some("installed" | "triggers-awaited" | "triggers-pending")) {
            return;
        }
        if record.name == "dpkg" {
            self.native.clone_from(&record.architecture);
        }
        for provided in record.provides.split(',') {
            let name = provided.split([' ', '(', ':']).find(|word| !word.is_empty());
            if let Some(name) = name {
                let providers = self.providers.entry(name.to_owned()).or_default();
                if let Err(place) = providers.binary_search(&record.name) {
                    providers.insert(place, record.name.clone());
                }
            }
        }
        let installed =
            Installed { version: record.version, architecture: record.architecture, hold: want == Some("hold") };
        self.installed.entry(record.name).or_default().push(installed);
    }
}
