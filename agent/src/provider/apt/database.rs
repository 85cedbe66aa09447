//! dpkg's database of packages.

use super::stanza::{Event, Stanzas};
use crate::host::{HostError, HostPath, Reader};
use crate::provider::package::{Installed, PackageDatabase};

#[cfg(test)]
mod tests;

/// Where dpkg keeps it.
pub const STATUS_FILE: &str = "/var/lib/dpkg/status";

/// What one stanza said.
#[derive(Default)]
struct Record {
    name: String,
    architecture: String,
    version: String,
    provides: String,
    status: String,
}

/// Reads the database. A host without one has no packages.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn load_database(reader: &mut dyn Reader) -> Result<PackageDatabase, HostError> {
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
        Event::End => add(&mut database, std::mem::take(&mut record)),
    });
    reader.copy(&path, &mut stanzas)?;
    stanzas.finish();
    Ok(database)
}

fn add(database: &mut PackageDatabase, record: Record) {
    // want, flag and status. Awaited triggers are the business of other packages.
    let mut words = record.status.split(' ');
    let (want, _, status) = (words.next(), words.next(), words.next());
    if !matches!(status, Some("installed" | "triggers-awaited" | "triggers-pending")) {
        return;
    }
    if record.name == "dpkg" {
        database.set_native(record.architecture.clone());
    }
    for provided in record.provides.split(',') {
        if let Some(name) = provided.split([' ', '(', ':']).find(|word| !word.is_empty()) {
            database.add_provider(name, &record.name);
        }
    }
    let (version, architecture, hold) = (record.version, record.architecture, want == Some("hold"));
    database.add(record.name, Installed { version, architecture, hold });
}
