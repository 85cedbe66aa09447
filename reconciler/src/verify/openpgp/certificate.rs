//! A certificate: a primary key, who it is for, subkeys, and what binds them.

use muster_schema::Timestamp;
use pgp::packet::{Packet, PublicKey, PublicSubkey, Signature, SignatureType, UserId};
use pgp::types::{KeyDetails as _, Tag};

use super::MAX_CERTIFICATE_BYTES;
use super::armour::read_armour;
use super::key::{JudgedKey, KeyPacket, KeyStanding, check_kind};
use super::packets::read_packets;
use super::self_signature::{counts, created, key_flags};

/// A certificate, judged at one moment.
#[derive(Debug)]
pub struct OpenPgpCertificate {
    /// Who it stands for.
    pub principal: String,
    /// The primary key's fingerprint in hexadecimal, as `gpg --fingerprint` prints it.
    pub fingerprint: String,
    pub(super) keys: Vec<JudgedKey>,
}

impl OpenPgpCertificate {
    /// Whether any of its keys may sign commits.
    pub fn may_sign(&self) -> bool {
        self.keys.iter().any(|key| key.standing == KeyStanding::MaySign)
    }
}

/// The certificate's packets, in their places.
struct Parts {
    primary: PublicKey,
    direct: Vec<Signature>,
    users: Vec<(UserId, Vec<Signature>)>,
    subkeys: Vec<(PublicSubkey, Vec<Signature>)>,
}

/// Reads the armoured certificate of `principal`, and judges its keys at `now`.
///
/// # Errors
/// Why it is no certificate that can be judged. An expired, revoked or useless
/// one is no error: its keys do not count.
pub fn parse_certificate(principal: &str, text: &[u8], now: Timestamp) -> Result<OpenPgpCertificate, &'static str> {
    let bytes = read_armour(text, "PUBLIC KEY BLOCK", MAX_CERTIFICATE_BYTES)?;
    let parts = sort_packets(read_packets(&bytes)?)?;
    let fingerprint = format!("{:X}", parts.primary.fingerprint());
    let whole = judge_whole(&parts, now)?;
    let mut keys = Vec::new();
    for (subkey, signatures) in &parts.subkeys {
        let own = judge_subkey(&parts.primary, subkey, signatures, now)?;
        let standing = match whole {
            // A primary key that only certifies binds subkeys all the same.
            Whole { standing: KeyStanding::MaySign, .. } => own,
            Whole { standing, .. } => standing,
        };
        keys.push(JudgedKey { packet: KeyPacket::Subkey(subkey.clone()), standing });
    }
    let standing = match whole {
        Whole { standing: KeyStanding::MaySign, signs: false } => {
            KeyStanding::NotForSigning("the primary key is not for signing")
        }
        Whole { standing, .. } => standing,
    };
    keys.push(JudgedKey { packet: KeyPacket::Primary(parts.primary), standing });
    Ok(OpenPgpCertificate { principal: principal.to_owned(), fingerprint, keys })
}

/// The order of a certificate: RFC 9580, section 10.1.1.
fn sort_packets(packets: Vec<Packet>) -> Result<Parts, &'static str> {
    let mut packets = packets.into_iter();
    let Some(Packet::PublicKey(primary)) = packets.next() else {
        return Err("it does not begin with a public key");
    };
    let mut parts = Parts { primary, direct: Vec::new(), users: Vec::new(), subkeys: Vec::new() };
    // Signatures on pictures say nothing that counts here.
    let mut on_attribute = false;
    for packet in packets {
        match packet {
            Packet::Signature(_) if on_attribute => {}
            Packet::Signature(signature) => {
                let place = match (parts.subkeys.last_mut(), parts.users.last_mut()) {
                    (Some((_, signatures)), _) | (None, Some((_, signatures))) => signatures,
                    (None, None) => &mut parts.direct,
                };
                place.push(signature);
            }
            Packet::UserId(user) if parts.subkeys.is_empty() => {
                on_attribute = false;
                parts.users.push((user, Vec::new()));
            }
            Packet::UserAttribute(_) if parts.subkeys.is_empty() => on_attribute = true,
            Packet::PublicSubkey(subkey) => {
                on_attribute = false;
                parts.subkeys.push((subkey, Vec::new()));
            }
            Packet::PublicKey(_) => return Err("it holds more than one certificate"),
            Packet::SecretKey(_) | Packet::SecretSubkey(_) => return Err("it holds a secret key"),
            _ => return Err("it holds a packet that does not belong there"),
        }
    }
    Ok(parts)
}

/// What goes for the certificate as a whole.
struct Whole {
    /// `MaySign` when it is in force.
    standing: KeyStanding,
    /// Whether the primary key is for signing.
    signs: bool,
}

fn judge_whole(parts: &Parts, now: Timestamp) -> Result<Whole, &'static str> {
    let Parts { primary, direct, users, .. } = parts;
    let is = |standing| Ok(Whole { standing, signs: false });
    if find_revocation(direct, SignatureType::KeyRevocation, |signature| signature.verify_key(primary).is_ok())? {
        return is(KeyStanding::Revoked);
    }
    if let Err(reason) = check_kind(primary) {
        return is(KeyStanding::NotAccepted(reason));
    }
    let mut bindings: Vec<&Signature> =
        users.iter().filter_map(|(user, signatures)| find_certification(primary, user, signatures, now)).collect();
    bindings.extend(newest(direct, now, |signature| {
        signature.typ() == Some(SignatureType::Key) && signature.verify_key(primary).is_ok()
    }));
    if bindings.is_empty() {
        return is(KeyStanding::NotForSigning("no signature of its own that counts stands behind the certificate"));
    }
    // Where they differ, the stricter counts.
    if bindings.iter().any(|binding| is_over(binding, primary.created_at().as_secs(), now)) {
        return is(KeyStanding::Expired);
    }
    let mut flags = bindings.iter().filter_map(|binding| key_flags(binding)).peekable();
    let signs = flags.peek().is_some() && flags.all(|flags| flags.sign());
    Ok(Whole { standing: KeyStanding::MaySign, signs })
}

/// The newest certification of a user id by the key itself, unless it was revoked since.
fn find_certification<'s>(
    primary: &PublicKey,
    user: &UserId,
    signatures: &'s [Signature],
    now: Timestamp,
) -> Option<&'s Signature> {
    let own = |signature: &Signature| signature.verify_certification(primary, Tag::UserId, user).is_ok();
    let is_revocation = |signature: &Signature| signature.typ() == Some(SignatureType::CertRevocation);
    let found = newest(signatures, now, |signature| !is_revocation(signature) && own(signature))?;
    let revoked = signatures
        .iter()
        .any(|signature| is_revocation(signature) && created(signature) >= created(found) && own(signature));
    (!revoked).then_some(found)
}

fn judge_subkey(
    primary: &PublicKey,
    subkey: &PublicSubkey,
    signatures: &[Signature],
    now: Timestamp,
) -> Result<KeyStanding, &'static str> {
    let own = |signature: &Signature| signature.verify_subkey_binding(primary, subkey).is_ok();
    if find_revocation(signatures, SignatureType::SubkeyRevocation, own)? {
        return Ok(KeyStanding::Revoked);
    }
    let binding =
        newest(signatures, now, |signature| signature.typ() == Some(SignatureType::SubkeyBinding) && own(signature));
    let Some(binding) = binding else {
        return Ok(KeyStanding::NotForSigning("no signature that counts binds the subkey"));
    };
    if !key_flags(binding).is_some_and(|flags| flags.sign()) {
        return Ok(KeyStanding::NotForSigning("the subkey is not for signing"));
    }
    if let Err(reason) = check_kind(subkey) {
        return Ok(KeyStanding::NotAccepted(reason));
    }
    // Without it anybody could adopt another's key: RFC 9580, section 5.2.1.10.
    let answered = binding
        .embedded_signature()
        .is_some_and(|answer| counts(answer, now) && answer.verify_primary_key_binding(subkey, primary).is_ok());
    if !answered {
        return Ok(KeyStanding::NotForSigning("the subkey's own signature on its binding is missing or invalid"));
    }
    if is_over(binding, subkey.created_at().as_secs(), now) {
        return Ok(KeyStanding::Expired);
    }
    Ok(KeyStanding::MaySign)
}

/// Whether there is a revocation. One that cannot be checked, as that by
/// another key, refuses the certificate: it is there for a reason. Neither
/// date nor kind of digest excuse one.
fn find_revocation(
    signatures: &[Signature],
    kind: SignatureType,
    own: impl Fn(&Signature) -> bool,
) -> Result<bool, &'static str> {
    let revocations: Vec<&Signature> = signatures.iter().filter(|signature| signature.typ() == Some(kind)).collect();
    if revocations.iter().all(|signature| own(signature)) {
        Ok(!revocations.is_empty())
    } else {
        Err("it holds a revocation that is not its own key's")
    }
}

/// The newest signature that counts at `now`, of those that are `wanted`.
fn newest(signatures: &[Signature], now: Timestamp, wanted: impl Fn(&Signature) -> bool) -> Option<&Signature> {
    signatures.iter().filter(|signature| counts(signature, now) && wanted(signature)).max_by_key(|it| created(it))
}

/// Whether the life that `binding` gives to a key made at `born` (Unix seconds) is over.
fn is_over(binding: &Signature, born: u32, now: Timestamp) -> bool {
    let life = binding.key_expiration_time().map_or(0, |life| life.as_secs());
    life != 0 && now.0 / 1000 >= u64::from(born) + u64::from(life)
}
