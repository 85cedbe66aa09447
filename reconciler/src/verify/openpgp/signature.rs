//! The signature of a commit.

use muster_schema::Timestamp;
use pgp::packet::{Packet, Signature, SignatureType};

use super::MAX_SIGNATURE_BYTES;
use super::armour::read_armour;
use super::certificate::OpenPgpCertificate;
use super::key::{JudgedKey, KeyStanding};
use super::packets::read_packets;
use super::self_signature::{created, is_in_time, is_strong, is_understood};
use crate::verify::display::display_text;
use crate::verify::fault::CommitFault;
use crate::verify::policy::SigningPolicy;
use crate::verify::revision::Signer;

/// Verifies that `armoured` is one OpenPGP signature over `payload`, by a key
/// of a certificate in `policy` that may sign at `receipt`, when the policy was loaded.
pub fn verify_openpgp_signature(
    payload: &[u8],
    armoured: &[u8],
    policy: &SigningPolicy,
    receipt: Timestamp,
) -> Result<Signer, CommitFault> {
    let signature = read_signature(armoured)?;
    let mut fault = None;
    for (certificate, key) in find_keys(&signature, policy) {
        match check_signature(payload, &signature, certificate, key, receipt) {
            Ok(()) => {
                let principals = vec![certificate.principal.clone()];
                return Ok(Signer { principals, fingerprint: certificate.fingerprint.clone() });
            }
            Err(found) => fault = fault.or(Some(found)),
        }
    }
    Err(fault.unwrap_or_else(|| CommitFault::UnknownOpenPgpKey { key: name_issuer(&signature), policy: policy.commit }))
}

fn read_signature(armoured: &[u8]) -> Result<Signature, CommitFault> {
    let malformed = |reason| CommitFault::MalformedOpenPgp { reason };
    let bytes = read_armour(armoured, "SIGNATURE", MAX_SIGNATURE_BYTES).map_err(malformed)?;
    let mut packets = read_packets(&bytes).map_err(malformed)?.into_iter();
    let (Some(Packet::Signature(signature)), None) = (packets.next(), packets.next()) else {
        return Err(malformed("it is not exactly one signature"));
    };
    if !matches!(signature.typ(), Some(SignatureType::Binary | SignatureType::Text)) {
        return Err(malformed("it is no signature on a document"));
    }
    if !is_understood(&signature) {
        return Err(malformed("it is of an unknown version, or has critical parts that are unknown"));
    }
    match signature.hash_alg() {
        Some(hash) if is_strong(hash) => Ok(signature),
        Some(hash) => Err(CommitFault::WeakDigest { digest: display_text(hash.to_string().as_bytes()) }),
        None => Err(malformed("it names no digest")),
    }
}

/// The keys that the signature names. Several files may claim a subkey; only
/// where it is bound it counts.
fn find_keys<'p>(
    signature: &Signature,
    policy: &'p SigningPolicy,
) -> impl Iterator<Item = (&'p OpenPgpCertificate, &'p JudgedKey)> {
    let ids = signature.issuer_key_id().into_iter().copied().collect::<Vec<_>>();
    let fingerprints = signature.issuer_fingerprint().into_iter().cloned().collect::<Vec<_>>();
    let keys = policy.openpgp.iter().flat_map(|certificate| certificate.keys.iter().map(move |key| (certificate, key)));
    keys.filter(move |(_, key)| {
        if fingerprints.is_empty() {
            ids.contains(&key.packet.id())
        } else {
            fingerprints.contains(&key.packet.fingerprint())
        }
    })
}

fn check_signature(
    payload: &[u8],
    signature: &Signature,
    certificate: &OpenPgpCertificate,
    key: &JudgedKey,
    receipt: Timestamp,
) -> Result<(), CommitFault> {
    let fingerprint = format!("{:X}", key.packet.fingerprint());
    let principal = certificate.principal.clone();
    match key.standing {
        KeyStanding::MaySign => {}
        KeyStanding::Expired => return Err(CommitFault::OpenPgpKeyExpired { fingerprint, principal }),
        KeyStanding::Revoked => return Err(CommitFault::OpenPgpKeyRevoked { fingerprint, principal }),
        KeyStanding::NotAccepted(reason) => {
            return Err(CommitFault::KeyNotAccepted { algorithm: key.packet.algorithm(), reason });
        }
        KeyStanding::NotForSigning(reason) => {
            return Err(CommitFault::OpenPgpKeyNotForSigning { fingerprint, principal, reason });
        }
    }
    if !is_in_time(signature, receipt) || created(signature).is_none_or(|made| made < key.packet.created()) {
        return Err(CommitFault::OpenPgpSignatureTime { fingerprint });
    }
    if key.packet.verifies(signature, payload) { Ok(()) } else { Err(CommitFault::BadSignature { fingerprint }) }
}

fn name_issuer(signature: &Signature) -> String {
    let fingerprint = signature.issuer_fingerprint().first().map(|it| format!("{it:X}"));
    let id = || signature.issuer_key_id().first().map(|it| it.to_string().to_uppercase());
    fingerprint.or_else(id).unwrap_or_else(|| "a key that it does not name".to_owned())
}
