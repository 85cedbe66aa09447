//! What Debian's names of packages are made of.

use crate::provider::package::{BadPackageName, PackageName};

#[cfg(test)]
mod tests;

/// Checks a name by Debian policy 5.6.1. apt reads much more into a word: regular expressions, patterns.
pub(super) fn check_name(name: &PackageName) -> Result<(), BadPackageName> {
    let lower_or_digit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let good = name.name().len() >= 2
        && name.name().bytes().all(|byte| lower_or_digit(byte) || matches!(byte, b'+' | b'-' | b'.'))
        && name.architecture().is_none_or(|text| text.bytes().all(|byte| lower_or_digit(byte) || byte == b'-'));
    if good { Ok(()) } else { Err(BadPackageName::new(name.as_str(), "a-z, 0-9, '+', '-' and '.'")) }
}
