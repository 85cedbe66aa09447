//! A key of a certificate, and whether it may sign.

use pgp::packet::{PublicKey, PublicSubkey, Signature};
use pgp::ser::Serialize as _;
use pgp::types::{Fingerprint, KeyDetails, KeyId, KeyVersion, PublicParams};

use crate::verify::limits::MIN_RSA_BITS;

/// Whether a key may sign commits, at the time that it was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyStanding {
    /// It may.
    MaySign,
    /// Its time is over, or its certificate's.
    Expired,
    /// Its holder revoked it, or the certificate.
    Revoked,
    /// Of a kind that does not count.
    NotAccepted(&'static str),
    /// It is not for signing, or nothing binds it.
    NotForSigning(&'static str),
}

/// A primary key or a subkey.
#[derive(Debug)]
pub(super) enum KeyPacket {
    Primary(PublicKey),
    Subkey(PublicSubkey),
}

/// A key, judged.
#[derive(Debug)]
pub(super) struct JudgedKey {
    pub(super) packet: KeyPacket,
    pub(super) standing: KeyStanding,
}

impl KeyPacket {
    fn details(&self) -> &dyn KeyDetails {
        match self {
            Self::Primary(key) => key,
            Self::Subkey(key) => key,
        }
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        self.details().fingerprint()
    }

    pub(super) fn id(&self) -> KeyId {
        self.details().legacy_key_id()
    }

    pub(super) fn algorithm(&self) -> String {
        format!("{:?}", self.details().algorithm())
    }

    /// When the key was made, in Unix seconds.
    pub(super) fn created(&self) -> u64 {
        self.details().created_at().as_secs().into()
    }

    /// Whether `signature` over `payload` is this key's.
    pub(super) fn verifies(&self, signature: &Signature, payload: &[u8]) -> bool {
        match self {
            Self::Primary(key) => signature.verify(key, payload),
            Self::Subkey(key) => signature.verify(key, payload),
        }
        .is_ok()
    }
}

/// Whether keys of this kind count; the reason if not.
pub(super) fn check_kind(key: &dyn KeyDetails) -> Result<(), &'static str> {
    if !matches!(key.version(), KeyVersion::V4 | KeyVersion::V6) {
        return Err("only keys of version 4 and 6 count");
    }
    match key.public_params() {
        PublicParams::RSA(rsa) => {
            // A number begins with its length in bits: RFC 9580, section 3.2.
            let number = rsa.to_bytes().unwrap_or_default();
            let bits = number.first_chunk().map_or(0, |length| usize::from(u16::from_be_bytes(*length)));
            if bits < MIN_RSA_BITS { Err("it is shorter than 2048 bits") } else { Ok(()) }
        }
        PublicParams::ECDSA(ecdsa) if ecdsa.is_supported() => Ok(()),
        PublicParams::EdDSALegacy(_) | PublicParams::Ed25519(_) | PublicParams::Ed448(_) => Ok(()),
        PublicParams::DSA(_) => Err("DSA is broken"),
        PublicParams::Elgamal(_) => Err("Elgamal signatures are broken"),
        _ => Err("this kind of key does not sign, or is unknown"),
    }
}
