//! The secret of an enrolment token, as a person carries it to a new machine.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::key::PublicKey;

#[cfg(test)]
mod tests;

const PREFIX: &str = "muster-token-";
/// Key id (8 bytes), seed (32), public key (32).
const KEY_BYTES: usize = 72;
/// The first bytes of the SHA-256 of those: a letter that was lost on the way is noticed.
const CHECK_BYTES: usize = 4;
/// The longest text that is looked at.
const MAX_TEXT: usize = 256;
/// What precedes the key in minisign's form of a secret key: algorithm, no password, checksum's algorithm, and the
/// parameters of the password that there is not. Source: minisign(1), "Secret key format".
const HEAD_BYTES: usize = 54;
/// The checksum behind it, which nobody looks at where there is no password.
const TAIL_BYTES: usize = 32;

/// An Ed25519 secret key with its id. In memory as in text it is the secret itself: show it to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenSecret([u8; KEY_BYTES]);

/// The text is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadTokenSecret {
    /// It is something else.
    #[error("this is no enrolment token: one begins with {PREFIX}, and 'muster host token' makes it")]
    Form,
    /// It was one.
    #[error("the enrolment token is damaged: copy it again, whole")]
    Checksum,
}

impl TokenSecret {
    /// The token of a secret key, as minisign writes it without a password; none where it is no such key.
    pub fn of_secret_key(bytes: &[u8]) -> Option<Self> {
        let key = bytes.get(HEAD_BYTES..HEAD_BYTES + KEY_BYTES)?;
        let is_whole = bytes.len() == HEAD_BYTES + KEY_BYTES + TAIL_BYTES && bytes.starts_with(b"Ed\0\0");
        key.try_into().ok().filter(|_| is_whole).map(TokenSecret)
    }

    /// The secret key, as minisign writes it without a password.
    pub fn to_secret_key(&self) -> Vec<u8> {
        let mut bytes = vec![0; HEAD_BYTES + KEY_BYTES + TAIL_BYTES];
        let parts = [(0, &b"Ed\0\0B2"[..]), (HEAD_BYTES, &self.0[..])];
        for (start, part) in parts {
            bytes.iter_mut().skip(start).zip(part).for_each(|(byte, value)| *byte = *value);
        }
        bytes
    }

    /// What stands in the repository.
    pub fn public_key(&self) -> PublicKey {
        let (id, rest) = self.0.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
        PublicKey::of_parts(*id, rest.last_chunk::<32>().copied().unwrap_or_default())
    }

    /// The text that [`FromStr`] reads.
    pub fn to_text(&self) -> String {
        let check = Sha256::digest(self.0);
        let bytes: Vec<u8> = self.0.iter().chain(check.iter().take(CHECK_BYTES)).copied().collect();
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for TokenSecret {
    type Err = BadTokenSecret;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let encoded = text.strip_prefix(PREFIX).filter(|_| text.len() <= MAX_TEXT).ok_or(BadTokenSecret::Form)?;
        let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| BadTokenSecret::Checksum)?;
        let (key, check) = bytes.split_first_chunk::<KEY_BYTES>().ok_or(BadTokenSecret::Checksum)?;
        let sound = check.len() == CHECK_BYTES && Sha256::digest(key).starts_with(check);
        if sound { Ok(TokenSecret(*key)) } else { Err(BadTokenSecret::Checksum) }
    }
}

/// Never the secret.
impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenSecret({})", self.public_key().id())
    }
}
