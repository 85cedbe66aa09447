//! What names of resources are made of. What a host's own tools refuse besides is told by its agent.

use crate::collection::Collection;

/// The longest name of a user or group, in bytes: shadow's limit.
const MAX_ACCOUNT_BYTES: usize = 32;
/// The longest name of a unit without `.service`, in bytes: systemd's limit.
const MAX_SERVICE_BYTES: usize = 247;

/// Whether `id` can be the name of something in `collection`, which has no paths.
pub(super) fn is_name(collection: Collection, id: &str) -> bool {
    match collection {
        Collection::Packages => is_package(id),
        Collection::Users | Collection::Groups => is_account(id),
        Collection::Services => is_service(id),
        _ => !id.starts_with('-') && !id.contains(|c: char| c == '/' || c.is_whitespace()),
    }
}

/// The rule of [`is_name`], for people.
pub(super) fn rule_of(collection: Collection) -> &'static str {
    match collection {
        Collection::Packages => {
            "use letters, digits, '+', '-', '.' and '_', with ':architecture' at the end where it is a foreign one"
        }
        Collection::Users | Collection::Groups => {
            "use letters, digits, '_', '-' and '.', at most 32, not only digits, and no dash or dot in front"
        }
        Collection::Services => "use letters, digits, ':', '-', '_', '.', '\\' and '@', as systemd does",
        _ => "no slash, no white space, no dash in front",
    }
}

/// Of all package managers together: Debian has small letters only.
fn is_package(id: &str) -> bool {
    let (name, architecture) = id.split_once(':').unwrap_or((id, "any"));
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_');
    let in_architecture = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
        && name.bytes().all(allowed)
        && !architecture.is_empty()
        && architecture.bytes().all(in_architecture)
}

/// What shadow's `is_valid_name` takes, without what passwd(5) cannot hold.
fn is_account(id: &str) -> bool {
    let name = id.strip_suffix('$').unwrap_or(id);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    id.len() <= MAX_ACCOUNT_BYTES
        && name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric() || first == b'_')
        && name.bytes().all(allowed)
        && !name.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_service(id: &str) -> bool {
    let stem = id.strip_suffix(".service").unwrap_or(id);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_' | b'.' | b'\\' | b'@');
    let template = stem.starts_with('@') || stem.ends_with('@');
    !stem.is_empty()
        && stem.len() <= MAX_SERVICE_BYTES
        && !stem.starts_with('-')
        && !template
        && stem.bytes().all(allowed)
}
