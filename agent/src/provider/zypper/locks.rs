//! Held packages: zypper's locks.

use crate::host::{HostError, HostPath, Reader};
use std::collections::BTreeSet;

const LOCKS: &str = "/etc/zypp/locks";

/// The names of packages that are locked in whatever version. Locks of patterns and by repository are no holds.
pub(super) fn load_held(reader: &mut dyn Reader) -> Result<BTreeSet<String>, HostError> {
    let Ok(path) = HostPath::new(LOCKS) else { return Ok(BTreeSet::new()) };
    if reader.meta(&path)?.is_none() {
        return Ok(BTreeSet::new());
    }
    let mut text = Vec::new();
    reader.copy(&path, &mut text)?;
    Ok(locked_names(&String::from_utf8_lossy(&text)))
}

/// Stanzas of `key: value`, with empty lines between them.
fn locked_names(text: &str) -> BTreeSet<String> {
    let fields = |stanza: &str| {
        let pairs = stanza.lines().filter_map(|line| line.split_once(':'));
        pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect::<Vec<_>>()
    };
    let name = |stanza: &str| {
        let fields = fields(stanza);
        let of = |key: &str| fields.iter().find(|(other, _)| other == key).map(|(_, value)| value.clone());
        let whole = of("type").as_deref() == Some("package") && of("version").is_none() && of("repo").is_none();
        of("solvable_name").filter(|_| whole)
    };
    text.split("\n\n").filter_map(name).collect()
}
