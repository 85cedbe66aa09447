//! Held packages: the list of dnf's plug-in `versionlock`, which may not be installed.

use crate::host::{HostError, HostPath, Reader};
use std::collections::BTreeSet;

#[cfg(test)]
mod tests;

/// The settings of the plug-in: they come with it.
const SETTINGS: [&str; 2] = ["/etc/dnf/plugins/versionlock.conf", "/etc/yum/pluginconf.d/versionlock.conf"];
const LISTS: [&str; 2] = ["/etc/dnf/plugins/versionlock.list", "/etc/yum/pluginconf.d/versionlock.list"];

/// Whether the plug-in is there.
pub(super) fn can_hold(reader: &mut dyn Reader) -> Result<bool, HostError> {
    for path in SETTINGS.iter().filter_map(|path| HostPath::new(path).ok()) {
        if reader.meta(&path)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The names of packages that are held.
pub(super) fn load_held(reader: &mut dyn Reader) -> Result<BTreeSet<String>, HostError> {
    let mut held = BTreeSet::new();
    for path in LISTS.iter().filter_map(|path| HostPath::new(path).ok()) {
        if reader.meta(&path)?.is_none() {
            continue;
        }
        let mut text = Vec::new();
        // It may be a link of an old name to the new one: that is read under the other name.
        if reader.copy(&path, &mut text).is_ok() {
            held.extend(String::from_utf8_lossy(&text).lines().filter_map(locked_name));
        }
    }
    Ok(held)
}

/// `name-epoch:version-release.arch`; a `!` in front excludes that version and holds nothing.
fn locked_name(line: &str) -> Option<String> {
    let line = line.split('#').next()?.trim();
    if line.is_empty() || line.starts_with('!') {
        return None;
    }
    let (rest, _release) = line.rsplit_once('-')?;
    let (name, _version) = rest.rsplit_once('-')?;
    Some(name.to_owned())
}
