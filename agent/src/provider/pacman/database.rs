//! pacman's database: a folder a package.

use crate::host::{HostError, HostPath, Reader};
use crate::provider::package::{Installed, PackageDatabase, PackageError};

/// Where pacman keeps it.
pub(super) const LOCAL: &str = "/var/lib/pacman/local";
/// Is there in every database, and in no package's folder.
pub(super) const VERSION_FILE: &str = "/var/lib/pacman/local/ALPM_DB_VERSION";

/// Reads what is installed. The folders' names say it; what is provided is read only if one of `names` is not there
/// under its own name.
pub(super) fn load_database(reader: &mut dyn Reader, names: &[String]) -> Result<PackageDatabase, PackageError> {
    let mut database = PackageDatabase::default();
    let Ok(local) = HostPath::new(LOCAL) else { return Ok(database) };
    let folders = reader.list(&local)?;
    for (name, version) in folders.iter().filter_map(|folder| split_folder(folder)) {
        let (version, architecture) = (version.to_owned(), "any".to_owned());
        database.add(name.to_owned(), Installed { version, architecture, hold: false });
    }
    if names.iter().all(|name| database.get(name).is_some()) {
        return Ok(database);
    }
    for folder in &folders {
        let Some((package, _)) = split_folder(folder) else { continue };
        for provided in load_provides(reader, &local, folder)? {
            database.add_provider(&provided, package);
        }
    }
    Ok(database)
}

/// `name-version-release`; the version may have an epoch.
fn split_folder(folder: &str) -> Option<(&str, &str)> {
    let (rest, _) = folder.rsplit_once('-')?;
    let (name, _) = rest.rsplit_once('-')?;
    Some((name, folder.get(name.len() + 1..)?))
}

/// The section `%PROVIDES%`, a name a line, maybe with `=version`.
fn load_provides(reader: &mut dyn Reader, local: &HostPath, folder: &str) -> Result<Vec<String>, HostError> {
    let Ok(path) = local.join(folder).and_then(|folder| folder.join("desc")) else { return Ok(Vec::new()) };
    let mut text = Vec::new();
    reader.copy(&path, &mut text)?;
    let text = String::from_utf8_lossy(&text);
    let section = text.lines().skip_while(|line| *line != "%PROVIDES%").skip(1).take_while(|line| !line.is_empty());
    Ok(section.filter_map(|line| line.split(['=', '<', '>']).next()).map(str::to_owned).collect())
}
