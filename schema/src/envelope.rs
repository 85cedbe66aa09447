//! Detached signatures in minisign's form, read strictly.
//!
//! The exact bytes of a document are signed, there is no canonical form. Our own
//! parser stands before the crate: it takes the one spelling that minisign
//! writes and no other, so that a signature has no second form. Source of the
//! format: minisign(1), "Signature format".

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::key::{KeyId, PublicKey};

#[cfg(test)]
mod tests;

/// The largest signature file, in bytes.
pub const MAX_SIGNATURE_BYTES: usize = 1024;

const UNTRUSTED: &str = "untrusted comment: ";
const TRUSTED: &str = "trusted comment: ";

/// A signature of the one form that is taken; not yet checked against a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    text: String,
    key: KeyId,
}

/// Why a signature is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// More bytes than a signature has.
    #[error("the signature has {0} bytes, more than {MAX_SIGNATURE_BYTES}")]
    TooLarge(usize),
    /// Not four lines of the known form.
    #[error("the signature is malformed: {0}")]
    Malformed(&'static str),
    /// Signed in minisign's old, not prehashed way.
    #[error("the signature is of the legacy form, not prehashed")]
    Legacy,
    /// Made by another key.
    #[error("the signature is by key {found}, not by {expected}")]
    OtherKey {
        /// The key that was to sign.
        expected: KeyId,
        /// The key that the signature names.
        found: KeyId,
    },
    /// The signature does not belong to the bytes.
    #[error("the signature does not match the bytes")]
    Mismatch,
}

impl Signature {
    /// Reads the text of a signature file.
    ///
    /// # Errors
    /// When it is not exactly what minisign writes with prehashing.
    pub fn load(bytes: &[u8]) -> Result<Self, SignatureError> {
        use SignatureError::Malformed;
        if bytes.len() > MAX_SIGNATURE_BYTES {
            return Err(SignatureError::TooLarge(bytes.len()));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Malformed("it is not UTF-8"))?;
        let body = text.strip_suffix('\n').ok_or(Malformed("the last line has no end"))?;
        let lines: Vec<&str> = body.split('\n').collect();
        let [untrusted, signature, trusted, global] = lines[..] else {
            return Err(Malformed("it does not have four lines"));
        };
        // minisign's own comment has tabs.
        if text.chars().any(|c| !matches!(c, '\n' | '\t') && c.is_control()) {
            return Err(Malformed("it has control characters"));
        }
        if !untrusted.starts_with(UNTRUSTED) || !trusted.starts_with(TRUSTED) {
            return Err(Malformed("a comment line does not start as it must"));
        }
        let signature: [u8; 74] =
            load_base64(signature).ok_or(Malformed("line 2 is no canonical base64 of 74 bytes"))?;
        let _: [u8; 64] = load_base64(global).ok_or(Malformed("line 4 is no canonical base64 of 64 bytes"))?;
        let (algorithm, rest) = signature.split_first_chunk::<2>().ok_or(Malformed("line 2 is short"))?;
        let (key, _) = rest.split_first_chunk::<8>().ok_or(Malformed("line 2 is short"))?;
        match algorithm {
            b"ED" => Ok(Signature { text: text.to_owned(), key: KeyId(*key) }),
            b"Ed" => Err(SignatureError::Legacy),
            _ => Err(Malformed("the algorithm is unknown")),
        }
    }

    /// The key that the signature names.
    pub fn key(&self) -> KeyId {
        self.key
    }

    /// The text, byte for byte as it was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Checks that `key` signed exactly `bytes`.
    ///
    /// # Errors
    /// When another key did, or the signature is of other bytes.
    pub fn verify(&self, bytes: &[u8], key: &PublicKey) -> Result<(), SignatureError> {
        if self.key != key.id() {
            return Err(SignatureError::OtherKey { expected: key.id(), found: self.key });
        }
        let signature = minisign_verify::Signature::decode(&self.text).map_err(|_| SignatureError::Mismatch)?;
        let key = key.for_verifying().map_err(|_| SignatureError::Mismatch)?;
        key.verify(bytes, &signature, false).map_err(|_| SignatureError::Mismatch)
    }
}

/// Decodes base64 that encodes again to the same text.
fn load_base64<const N: usize>(text: &str) -> Option<[u8; N]> {
    let bytes: [u8; N] = STANDARD.decode(text).ok()?.try_into().ok()?;
    (STANDARD.encode(bytes) == text).then_some(bytes)
}

/// Splits a framed message into its signature and its payload: the four lines
/// of the signature, then the signed bytes. One form for HTTP bodies and AMQP.
///
/// # Errors
/// When the frame does not begin with a signature of the known form.
pub fn split_frame(frame: &[u8]) -> Result<(Signature, &[u8]), SignatureError> {
    let ends = frame.iter().take(MAX_SIGNATURE_BYTES).enumerate().filter(|(_, byte)| **byte == b'\n');
    let end = ends.map(|(at, _)| at + 1).nth(3).ok_or(SignatureError::Malformed("it does not have four lines"))?;
    let (signature, payload) = frame.split_at(end);
    Ok((Signature::load(signature)?, payload))
}

/// The frame of `payload` and its signature; what [`split_frame`] splits.
pub fn join_frame(signature: &Signature, payload: &[u8]) -> Vec<u8> {
    [signature.text.as_bytes(), payload].concat()
}
