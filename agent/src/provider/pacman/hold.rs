//! Held packages: `IgnorePkg` in pacman's settings.

use crate::host::{FileWrite, HostPath, NewAttributes, Reader};
use crate::provider::package::{PackageError, PackageName, Transaction};
use std::collections::BTreeSet;

#[cfg(test)]
mod tests;

const SETTINGS: &str = "/etc/pacman.conf";
const KEY: &str = "IgnorePkg";

/// The names of packages that are held. What other files hold that the settings include is not seen.
pub(super) fn load_held(reader: &mut dyn Reader) -> Result<BTreeSet<String>, PackageError> {
    let text = load_settings(reader)?;
    Ok(text.lines().filter_map(ignored).flat_map(str::split_whitespace).map(str::to_owned).collect())
}

/// Holds packages, or lets them go.
pub(super) fn set_hold(names: &[PackageName], hold: bool, transaction: &Transaction<'_>) -> Result<(), PackageError> {
    let Ok(path) = HostPath::new(SETTINGS) else { return Ok(()) };
    let host = transaction.host();
    let old = load_settings(host.reader().as_mut())?;
    let names: Vec<&str> = names.iter().map(PackageName::name).collect();
    let new = edit_settings(&old, &names, hold);
    if new != old {
        let content = Box::new(new.as_bytes());
        host.write(FileWrite::new(path, content, NewAttributes::default()))?;
    }
    Ok(())
}

fn load_settings(reader: &mut dyn Reader) -> Result<String, PackageError> {
    let Ok(path) = HostPath::new(SETTINGS) else { return Ok(String::new()) };
    let mut text = Vec::new();
    reader.copy(&path, &mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// The names of a line `IgnorePkg = a b`.
fn ignored(line: &str) -> Option<&str> {
    let (key, value) = line.split_once('=')?;
    (key.trim() == KEY).then_some(value)
}

/// The settings with these names taken in, each on a line of its own after `[options]`, or taken out. Everything else
/// stays as it is.
fn edit_settings(text: &str, names: &[&str], hold: bool) -> String {
    let mut new = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        match ignored(line.trim_end()) {
            Some(value) if value.split_whitespace().any(|name| names.contains(&name)) => {
                let left: Vec<&str> = value.split_whitespace().filter(|name| !names.contains(name)).collect();
                if !left.is_empty() {
                    new.push_str(&format!("{KEY} = {}\n", left.join(" ")));
                }
            }
            _ => new.push_str(line),
        }
        if hold && line.trim() == "[options]" {
            for name in names {
                new.push_str(&format!("{KEY} = {name}\n"));
            }
        }
    }
    new
}
