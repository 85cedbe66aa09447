//! Which package manager a host has.

use super::{PackageDatabase, PackageError, PackageManager};
use crate::facts::os_release::load_os;
use crate::host::{HostError, HostPath, HostRead, Reader};
use crate::provider::apk::ApkManager;
use crate::provider::apt::AptManager;
use crate::provider::dnf::DnfManager;
use crate::provider::pacman::PacmanManager;
use crate::provider::zypper::ZypperManager;

#[cfg(test)]
mod tests;

/// Where a distribution says what it is.
const OS_RELEASE: [&str; 2] = ["/usr/lib/os-release", "/etc/os-release"];

/// Every manager that is known.
pub fn all_managers() -> [&'static dyn PackageManager; 5] {
    [&AptManager, &DnfManager, &ZypperManager, &ApkManager, &PacmanManager]
}

/// The host has none, or none that is known.
#[derive(Debug, thiserror::Error)]
pub enum NoManager {
    /// None was found.
    #[error("this host has no package manager that is known: {}", names().join(", "))]
    None,
    /// The host could not be read.
    #[error("the package manager cannot be found out")]
    Host(#[from] HostError),
    /// Its database could not be read.
    #[error("the packages of this host cannot be read")]
    Database(#[from] PackageError),
}

fn names() -> Vec<&'static str> {
    all_managers().into_iter().map(PackageManager::name).collect()
}

/// The manager whose programs and database are there. Of several, the one of the distribution; else the first.
///
/// # Errors
/// When there is none, or the host cannot be read.
pub fn choose_manager(reader: &mut dyn Reader) -> Result<&'static dyn PackageManager, NoManager> {
    let mut found: Vec<&'static dyn PackageManager> = Vec::new();
    for manager in all_managers() {
        let signs = manager.signs();
        if has_any(signs.tools, reader)? && has_any(signs.databases, reader)? {
            found.push(manager);
        }
    }
    let [first, .., _] = found[..] else { return found.pop().ok_or(NoManager::None) };
    let family = load_family(reader);
    Ok(found.into_iter().find(|manager| Some(manager.signs().family) == family.as_deref()).unwrap_or(first))
}

/// The host's manager and everything that is installed.
///
/// # Errors
/// When there is no manager, or the database cannot be read.
pub fn load_installed(host: &dyn HostRead) -> Result<(&'static dyn PackageManager, PackageDatabase), NoManager> {
    let mut reader = host.reader();
    let manager = choose_manager(reader.as_mut())?;
    Ok((manager, manager.load_database(host, reader.as_mut(), &[])?))
}

fn has_any(paths: &[&str], reader: &mut dyn Reader) -> Result<bool, HostError> {
    for path in paths.iter().filter_map(|path| HostPath::new(path).ok()) {
        if reader.meta(&path)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn load_family(reader: &mut dyn Reader) -> Option<String> {
    OS_RELEASE.iter().filter_map(|path| HostPath::new(path).ok()).find_map(|path| {
        let mut text = Vec::new();
        reader.copy(&path, &mut text).ok()?;
        Some(load_os(&String::from_utf8_lossy(&text)).family)
    })
}
