//! apk's database, and what is asked of it: the world.

use crate::host::{HostPath, Reader};
use crate::provider::apt::{Event, Stanzas};
use crate::provider::package::{Installed, PackageDatabase, PackageError};
use std::collections::BTreeSet;

#[cfg(test)]
mod tests;

/// Where apk keeps it.
pub(super) const DATABASES: &[&str] = &["/lib/apk/db/installed", "/usr/lib/apk/db/installed"];
const WORLD: &str = "/etc/apk/world";

/// Reads what is installed. What the world names in one version is held.
pub(super) fn load_database(reader: &mut dyn Reader) -> Result<PackageDatabase, PackageError> {
    let mut database = PackageDatabase::default();
    for path in DATABASES.iter().filter_map(|path| HostPath::new(path).ok()) {
        if reader.meta(&path)?.is_none() {
            continue;
        }
        let (mut name, mut version, mut provides) = (String::new(), String::new(), String::new());
        let mut stanzas = Stanzas::new(|event| match event {
            Event::Field("P", value) => value.clone_into(&mut name),
            Event::Field("V", value) => value.clone_into(&mut version),
            Event::Field("p", value) => value.clone_into(&mut provides),
            Event::Field(..) => {}
            Event::End => {
                let provided = std::mem::take(&mut provides);
                for word in provided.split(' ').filter_map(|word| word.split(['=', '<', '>', '~']).next()) {
                    database.add_provider(word, &name);
                }
                let (version, architecture) = (std::mem::take(&mut version), "any".to_owned());
                database.add(std::mem::take(&mut name), Installed { version, architecture, hold: false });
            }
        });
        reader.copy(&path, &mut stanzas)?;
        stanzas.finish();
        break;
    }
    let held = load_held(reader)?;
    database.set_held(|name| held.contains(name));
    Ok(database)
}

fn load_held(reader: &mut dyn Reader) -> Result<BTreeSet<String>, PackageError> {
    let Ok(path) = HostPath::new(WORLD) else { return Ok(BTreeSet::new()) };
    let mut text = Vec::new();
    if reader.meta(&path)?.is_some() {
        reader.copy(&path, &mut text)?;
    }
    let text = String::from_utf8_lossy(&text);
    let held = text.split_whitespace().filter_map(|word| word.split_once('='));
    Ok(held.filter(|(name, _)| !name.ends_with(['<', '>', '~'])).map(|(name, _)| name.to_owned()).collect())
}
