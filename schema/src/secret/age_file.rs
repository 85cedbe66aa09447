//! The form of an encrypted secret: a file of age (age-encryption.org/v1) for X25519 keys, and for nothing else.
//!
//! Only the header's form is looked at, before any key is used. A passphrase or a plug-in would have the reader do work
//! for whoever wrote the file.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::MAX_CIPHERTEXT_BYTES;

const VERSION: &str = "age-encryption.org/v1";
const ARMOUR_BEGIN: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
const ARMOUR_END: &str = "-----END AGE ENCRYPTED FILE-----";
/// What age puts into headers so that readers learn to pass over what they do not know.
const GREASE: &str = "-grease";
/// The most recipients of one file.
const MAX_STANZAS: usize = 10_000;

/// Why bytes are no encrypted secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAgeFile {
    /// It has more bytes than a secret may have.
    #[error("the file has more than {MAX_CIPHERTEXT_BYTES} bytes")]
    TooLarge,
    /// It is not encrypted with age, or cut off within its header.
    #[error("this is no file of age")]
    Form,
    /// The armour is damaged.
    #[error("the armour is damaged")]
    Armour,
    /// It is encrypted to something that is not an X25519 key.
    #[error("it is encrypted to '{0}'; only X25519 keys (age1…) are taken")]
    Stanza(String),
    /// It is encrypted to too many, or to nobody.
    #[error("it is encrypted to nobody, or to more than {MAX_STANZAS}")]
    Recipients,
}

/// The binary form of an encrypted secret, whose header is of the form that secrets have.
///
/// # Errors
/// With what is wrong.
pub fn load_age(bytes: &[u8]) -> Result<Cow<'_, [u8]>, BadAgeFile> {
    if bytes.len() as u64 > MAX_CIPHERTEXT_BYTES {
        return Err(BadAgeFile::TooLarge);
    }
    let binary = match bytes.starts_with(ARMOUR_BEGIN.as_bytes()) {
        true => Cow::Owned(without_armour(bytes)?),
        false => Cow::Borrowed(bytes),
    };
    check_header(&binary)?;
    Ok(binary)
}

fn without_armour(bytes: &[u8]) -> Result<Vec<u8>, BadAgeFile> {
    let text = std::str::from_utf8(bytes).map_err(|_| BadAgeFile::Armour)?;
    let inner = text.trim_end().strip_prefix(ARMOUR_BEGIN).and_then(|text| text.strip_suffix(ARMOUR_END));
    let joined: String = inner.ok_or(BadAgeFile::Armour)?.lines().collect();
    STANDARD.decode(joined).map_err(|_| BadAgeFile::Armour)
}

fn check_header(bytes: &[u8]) -> Result<(), BadAgeFile> {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    if lines.next() != Some(VERSION.as_bytes()) {
        return Err(BadAgeFile::Form);
    }
    let mut keys = 0;
    for (index, line) in lines.enumerate() {
        let line = std::str::from_utf8(line).map_err(|_| BadAgeFile::Form)?;
        if line.starts_with("---") {
            return if keys == 0 { Err(BadAgeFile::Recipients) } else { Ok(()) };
        }
        // A stanza has at least two lines.
        if keys > MAX_STANZAS || index > 8 * MAX_STANZAS {
            return Err(BadAgeFile::Recipients);
        }
        let Some(stanza) = line.strip_prefix("-> ") else { continue };
        match stanza.split(' ').next().unwrap_or_default() {
            "X25519" => keys += 1,
            other if other.ends_with(GREASE) => {}
            other => return Err(BadAgeFile::Stanza(other.chars().take(40).collect())),
        }
    }
    Err(BadAgeFile::Form)
}
