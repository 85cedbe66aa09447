//! Names of units.

use std::fmt;

#[cfg(test)]
mod tests;

const SUFFIXES: [&str; 11] =
    ["service", "socket", "timer", "path", "mount", "automount", "swap", "target", "slice", "scope", "device"];
/// systemd's own limit.
const MAX_BYTES: usize = 255;

/// A unit's whole name: `nginx.service`, `getty@tty1.service`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitName(String);

/// The text is no name of a unit that can be managed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the name of a unit")]
pub struct BadUnitName(String);

impl UnitName {
    /// The unit that `id` means: a service, where it does not end as another unit does.
    ///
    /// # Errors
    /// When it is no name of a unit, or that of a template without an instance.
    pub fn new(id: &str) -> Result<UnitName, BadUnitName> {
        let bad = || BadUnitName(id.chars().take(100).collect());
        let stem = match id.rsplit_once('.') {
            Some((stem, suffix)) if SUFFIXES.contains(&suffix) => stem,
            _ => id,
        };
        let allowed =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_' | b'.' | b'\\' | b'@');
        let template = stem.ends_with('@') || stem.starts_with('@');
        if stem.is_empty() || template || !stem.bytes().all(allowed) || id.len() > MAX_BYTES - ".service".len() {
            return Err(bad());
        }
        Ok(UnitName(if stem.len() == id.len() { format!("{id}.service") } else { id.to_owned() }))
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A pattern of fnmatch(3) that only this name matches: names may hold backslashes.
    pub(super) fn pattern(&self) -> String {
        self.0.replace('\\', "\\\\")
    }

    /// The name that an object path of systemd stands for; the other way round than `sd_bus_path_encode`.
    pub(super) fn of_object_path(path: &str) -> Option<String> {
        let encoded = path.strip_prefix("/org/freedesktop/systemd1/unit/")?;
        let mut name = Vec::with_capacity(encoded.len());
        let mut bytes = encoded.bytes();
        while let Some(byte) = bytes.next() {
            if byte != b'_' {
                name.push(byte);
                continue;
            }
            let digits = [bytes.next()?, bytes.next()?];
            name.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        }
        String::from_utf8(name).ok()
    }
}

impl fmt::Display for UnitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
