//! Which keys a text holds: their fingerprints, read without any program and before anything is written.
//!
//! OpenPGP: RFC 4880, sections 4.2 (packets), 6.2 (armor) and 12.2 (fingerprints). The reading is strict: whatever
//! another program could take for a further key is refused.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};
use sha2::Sha256;
use std::collections::BTreeSet;

#[cfg(test)]
mod tests;

/// The largest text of keys, in bytes: Debian's own, with all its keys, has a tenth of it.
const MAX_BYTES: usize = 1 << 20;
const PGP_BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const PGP_END: &str = "-----END PGP PUBLIC KEY BLOCK-----";
const PEM_BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const PEM_END: &str = "-----END PUBLIC KEY-----";

/// Packets of a public key that hold no further primary key: signature, trust, marker, user id, subkey, user attribute.
const HARMLESS_TAGS: [u8; 6] = [2, 10, 12, 13, 14, 17];
const PUBLIC_KEY_TAG: u8 = 6;
const SECRET_TAGS: [u8; 2] = [5, 7];

/// What a manager's keys are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// OpenPGP, armored; known by the SHA-1 of its primary key.
    OpenPgp,
    /// A public key in PEM, known by the SHA-256 of its DER.
    Pem,
}

/// Why a key is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is another one.
    #[error("the key that is given is {found}, and the fingerprint says {expected}: nothing was written")]
    Other {
        /// What the text holds.
        found: String,
        /// What it is to hold.
        expected: String,
    },
    /// It is none.
    #[error("the key that is given is not taken: {0}")]
    Malformed(&'static str),
    /// It is of another version.
    #[error("the key that is given is of OpenPGP version {0}; only version 4 is known")]
    Version(u8),
}

/// Checks that a text holds the keys of these fingerprints and no others.
///
/// # Errors
/// When it holds another one, or cannot be read wholly.
pub fn check_key(text: &[u8], kind: KeyKind, fingerprints: &[String]) -> Result<(), KeyError> {
    let text = Some(text).filter(|text| text.len() <= MAX_BYTES).ok_or(KeyError::Malformed("it is too long"))?;
    let text = std::str::from_utf8(text)
        .map_err(|_| KeyError::Malformed("it is not text; write it with `gpg --armor --export`"))?;
    let found = match kind {
        KeyKind::OpenPgp => load_openpgp(text)?,
        KeyKind::Pem => load_pem(text)?,
    };
    let expected: BTreeSet<String> = fingerprints.iter().cloned().collect();
    if found == expected {
        return Ok(());
    }
    let join = |set: BTreeSet<String>| set.into_iter().collect::<Vec<_>>().join(", ");
    Err(KeyError::Other { found: join(found), expected: join(expected) })
}

fn load_openpgp(text: &str) -> Result<BTreeSet<String>, KeyError> {
    let mut found = BTreeSet::new();
    for block in load_blocks(text, PGP_BEGIN, PGP_END)? {
        load_packets(&block, &mut found)?;
    }
    if found.is_empty() { Err(KeyError::Malformed("it holds no OpenPGP public key")) } else { Ok(found) }
}

fn load_pem(text: &str) -> Result<BTreeSet<String>, KeyError> {
    match load_blocks(text, PEM_BEGIN, PEM_END)?.as_slice() {
        [der] => Ok(BTreeSet::from([hex::encode_upper(Sha256::digest(der))])),
        _ => Err(KeyError::Malformed("it does not hold one public key in PEM")),
    }
}

/// Where in a block the reading is.
enum Part {
    Outside,
    Headers,
    Data,
    Checksum,
}

/// The bytes of each armored block. Text between blocks is no part of any.
fn load_blocks(text: &str, begin: &str, end: &str) -> Result<Vec<Vec<u8>>, KeyError> {
    let mut blocks = Vec::new();
    let mut data = String::new();
    let mut part = Part::Outside;
    for line in text.lines().map(str::trim) {
        part = match part {
            Part::Outside if line == begin => {
                if begin == PGP_BEGIN {
                    Part::Headers
                } else {
                    Part::Data
                }
            }
            Part::Outside if line.contains("-----BEGIN") => {
                return Err(KeyError::Malformed("it holds something else than public keys"));
            }
            Part::Outside => Part::Outside,
            Part::Headers if line.is_empty() => Part::Data,
            Part::Headers if line.contains(':') => Part::Headers,
            Part::Data | Part::Checksum if line == end => {
                let bytes = STANDARD.decode(std::mem::take(&mut data));
                blocks.push(bytes.map_err(|_| KeyError::Malformed("its base64 is broken"))?);
                Part::Outside
            }
            Part::Data if line.len() == 5 && line.starts_with('=') => Part::Checksum,
            Part::Data if is_base64(line) => {
                data.push_str(line);
                Part::Data
            }
            Part::Headers | Part::Data | Part::Checksum => return Err(KeyError::Malformed("its armor is broken")),
        };
    }
    if matches!(part, Part::Outside) { Ok(blocks) } else { Err(KeyError::Malformed("its armor does not end")) }
}

fn is_base64(line: &str) -> bool {
    line.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}

/// Adds the fingerprints of the primary keys in a row of packets.
fn load_packets(mut bytes: &[u8], found: &mut BTreeSet<String>) -> Result<(), KeyError> {
    while !bytes.is_empty() {
        let (tag, body, rest) = split_packet(bytes).ok_or(KeyError::Malformed("its packets are broken"))?;
        bytes = rest;
        if SECRET_TAGS.contains(&tag) {
            return Err(KeyError::Malformed("it is a secret key"));
        }
        if tag == PUBLIC_KEY_TAG {
            found.insert(fingerprint_of(body)?);
        } else if !HARMLESS_TAGS.contains(&tag) {
            return Err(KeyError::Malformed("it holds something else than keys and their signatures"));
        }
    }
    Ok(())
}

/// Section 12.2: the SHA-1 of 0x99, the length in two bytes, and the packet.
fn fingerprint_of(body: &[u8]) -> Result<String, KeyError> {
    match body.first() {
        Some(4) => {}
        Some(version) => return Err(KeyError::Version(*version)),
        None => return Err(KeyError::Malformed("it holds an empty key")),
    }
    let length = u16::try_from(body.len()).map_err(|_| KeyError::Malformed("it holds a key that is too long"))?;
    let digest = Sha1::new().chain_update([0x99]).chain_update(length.to_be_bytes()).chain_update(body).finalize();
    Ok(hex::encode_upper(digest))
}

/// Tag, body and what follows of the first packet. Lengths that are left open are none of a key's.
fn split_packet(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    if first & 0x80 == 0 {
        return None;
    }
    let (tag, length, rest) = if first & 0x40 != 0 {
        let (length, rest) = new_length(rest)?;
        (first & 0x3f, length, rest)
    } else {
        let (length, rest) = match first & 3 {
            0 => take_number(rest, 1)?,
            1 => take_number(rest, 2)?,
            2 => take_number(rest, 4)?,
            _ => return None,
        };
        (first >> 2 & 0x0f, length, rest)
    };
    let (body, rest) = rest.split_at_checked(length)?;
    Some((tag, body, rest))
}

/// Section 4.2.2.
fn new_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    match usize::from(*first) {
        short @ 0..=191 => Some((short, rest)),
        high @ 192..=223 => {
            let (low, rest) = rest.split_first()?;
            Some(((high - 192) * 256 + usize::from(*low) + 192, rest))
        }
        255 => take_number(rest, 4),
        _ => None,
    }
}

fn take_number(bytes: &[u8], width: usize) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_at_checked(width)?;
    Some((number.iter().fold(0, |value, byte| value << 8 | usize::from(*byte)), rest))
}
