//! Which signatures count at all, before it is asked what they say.

use muster_schema::Timestamp;
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{KeyFlags, Signature, SignatureVersion, SubpacketData};

use super::SKEW_SECONDS;

/// Whether digests of this kind count.
pub(super) fn is_strong(hash: HashAlgorithm) -> bool {
    matches!(
        hash,
        HashAlgorithm::Sha256
            | HashAlgorithm::Sha384
            | HashAlgorithm::Sha512
            | HashAlgorithm::Sha3_256
            | HashAlgorithm::Sha3_512
    )
}

/// Whether its form is known, down to what its maker marked as critical.
pub(super) fn is_understood(signature: &Signature) -> bool {
    let known = matches!(signature.version(), SignatureVersion::V4 | SignatureVersion::V6);
    let Some(config) = signature.config().filter(|_| known) else { return false };
    // A critical part that a reader does not know makes the signature invalid: RFC 9580, section 5.2.3.7.
    config.hashed_subpackets().filter(|part| part.is_critical).all(|part| {
        !matches!(part.data, SubpacketData::Other(..) | SubpacketData::Experimental(..) | SubpacketData::Notation(_))
    })
}

/// Whether it was made by `now`, give or take, and still holds then.
pub(super) fn is_in_time(signature: &Signature, now: Timestamp) -> bool {
    let now = now.0 / 1000;
    let Some(made) = created(signature) else { return false };
    let life = signature.signature_expiration_time().map_or(0, |life| u64::from(life.as_secs()));
    made <= now + SKEW_SECONDS && (life == 0 || now < made + life)
}

/// Whether a certificate's own signature may say something at `now`.
pub(super) fn counts(signature: &Signature, now: Timestamp) -> bool {
    is_understood(signature) && signature.hash_alg().is_some_and(is_strong) && is_in_time(signature, now)
}

/// When it says that it was made, in Unix seconds.
pub(super) fn created(signature: &Signature) -> Option<u64> {
    signature.created().map(|time| time.as_secs().into())
}

/// What it says its key is for; nothing when it does not say.
pub(super) fn key_flags(signature: &Signature) -> Option<&KeyFlags> {
    signature.config()?.hashed_subpackets().find_map(|part| match &part.data {
        SubpacketData::KeyFlags(flags) => Some(flags),
        _ => None,
    })
}
