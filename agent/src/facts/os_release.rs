//! The operating system, from os-release(5).

use std::collections::BTreeMap;

use muster_schema::facts::OsFacts;

#[cfg(test)]
mod tests;

/// Families by distribution id. Anything else is looked up by what it says it is like.
const FAMILIES: [(&str, &[&str]); 5] = [
    ("debian", &["debian", "ubuntu", "raspbian", "linuxmint", "pop", "kali", "devuan"]),
    ("rhel", &["rhel", "fedora", "centos", "rocky", "almalinux", "ol", "amzn", "scientific", "cloudlinux"]),
    ("suse", &["suse", "opensuse", "sles", "sled", "sle-micro", "sl-micro", "opensuse-leap", "opensuse-tumbleweed"]),
    ("alpine", &["alpine", "postmarketos"]),
    ("arch", &["arch", "archarm", "manjaro", "endeavouros"]),
];

/// Reads the text of an os-release file. A system without `ID` is `linux`, as the manual says; one that is of no
/// known family, nor like one, is a family of its own.
pub fn load_os(text: &str) -> OsFacts {
    let mut fields: BTreeMap<&str, String> = text.lines().filter_map(field).collect();
    let id = fields.remove("ID").unwrap_or_else(|| "linux".to_owned());
    let like = fields.remove("ID_LIKE").unwrap_or_default();
    let family = std::iter::once(id.as_str())
        .chain(like.split_whitespace())
        .find_map(family_of)
        .map_or_else(|| id.clone(), str::to_owned);
    OsFacts { family, id, version: fields.remove("VERSION_ID"), codename: fields.remove("VERSION_CODENAME") }
}

fn family_of(id: &str) -> Option<&'static str> {
    FAMILIES.iter().find(|(_, members)| members.contains(&id)).map(|(family, _)| *family)
}

/// One assignment; none for comments, empty values and what is no assignment.
fn field(line: &str) -> Option<(&str, String)> {
    let (name, value) = line.trim().split_once('=')?;
    let value = unquote(value);
    (!name.starts_with('#') && !value.is_empty()).then_some((name, value))
}

/// The value of a shell assignment: in double quotes, in single quotes, or bare.
fn unquote(value: &str) -> String {
    if let Some(inner) = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return inner.to_owned();
    }
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    let mut plain = String::with_capacity(inner.len());
    let mut escaped = false;
    for character in inner.chars() {
        if character == '\\' && !escaped {
            escaped = true;
        } else {
            plain.push(character);
            escaped = false;
        }
    }
    plain
}
