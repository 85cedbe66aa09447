//! Which packages apt counts as brought by others and not asked for.

use std::collections::BTreeSet;

use super::stanza::{Event, Stanzas};
use crate::host::{HostError, HostPath, Reader};

#[cfg(test)]
mod tests;

/// Where apt keeps it.
const EXTENDED_STATES: &str = "/var/lib/apt/extended_states";

/// The names of packages that are marked automatic, in whatever architecture.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn load_automatic(reader: &mut dyn Reader) -> Result<BTreeSet<String>, HostError> {
    let mut names = BTreeSet::new();
    let Ok(path) = HostPath::new(EXTENDED_STATES) else { return Ok(names) };
    if reader.meta(&path)?.is_none() {
        return Ok(names);
    }
    let (mut name, mut automatic) = (String::new(), false);
    let mut stanzas = Stanzas::new(|event| match event {
        Event::Field("Package", value) => value.clone_into(&mut name),
        Event::Field("Auto-Installed", value) => automatic = value == "1",
        Event::Field(..) => {}
        Event::End => {
            let name = std::mem::take(&mut name);
            if std::mem::take(&mut automatic) {
                names.insert(name);
            }
        }
    });
    reader.copy(&path, &mut stanzas)?;
    stanzas.finish();
    Ok(names)
}
