//! Checks the signature of a commit against a policy; an SSH signature (PROTOCOL.sshsig of OpenSSH) here.

use muster_schema::Timestamp;
use ssh_key::public::KeyData;
use ssh_key::{HashAlg, PublicKey, SshSig};

use super::display::display_text;
use super::fault::CommitFault;
use super::limits::MIN_RSA_BITS;
use super::openpgp::verify_openpgp_signature;
use super::policy::{GIT_NAMESPACE, SigningPolicy};
use super::revision::Signer;

const SSH_BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const SSH_END: &str = "-----END SSH SIGNATURE-----";
const PGP_BEGIN: &str = "-----BEGIN PGP ";

/// Characters in a line of OpenSSH's armour.
const OPENSSH_LINE: usize = 70;

/// Set in a security key's signature when its holder touched it.
const USER_PRESENT: u8 = 0x01;
/// A security key's signature ends in a byte of flags and a 32-bit counter.
const SECURITY_KEY_TRAILER: usize = 5;

/// Verifies that `armoured` is a signature over `payload`, SSH or OpenPGP, by a
/// signer whom `policy` lists, and who is valid at `receipt`.
pub(super) fn verify_commit_signature(
    payload: &[u8],
    armoured: &[u8],
    policy: &SigningPolicy,
    receipt: Timestamp,
) -> Result<Signer, CommitFault> {
    if armoured.starts_with(PGP_BEGIN.as_bytes()) {
        verify_openpgp_signature(payload, armoured, policy, receipt)
    } else {
        verify_ssh_signature(payload, armoured, policy, receipt)
    }
}

/// Verifies that `armoured` is a signature of namespace `git` over `payload`
/// by a signer whom `policy` lists, and who is valid at `receipt`.
pub fn verify_ssh_signature(
    payload: &[u8],
    armoured: &[u8],
    policy: &SigningPolicy,
    receipt: Timestamp,
) -> Result<Signer, CommitFault> {
    verify_signature(GIT_NAMESPACE, payload, armoured, policy, receipt)
}

/// [`verify_ssh_signature`] for another namespace.
pub(super) fn verify_signature(
    namespace: &str,
    payload: &[u8],
    armoured: &[u8],
    policy: &SigningPolicy,
    receipt: Timestamp,
) -> Result<Signer, CommitFault> {
    let signature = parse_armoured(armoured)?;
    let key = signature.public_key();
    let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
    if signature.namespace() != namespace {
        return Err(CommitFault::WrongNamespace { namespace: display_text(signature.namespace().as_bytes()) });
    }
    check_key_kind(key)?;
    if policy.revoked.contains(key) {
        return Err(CommitFault::RevokedSigner { fingerprint, policy: policy.commit });
    }
    let signer = find_signer(key, namespace, policy, receipt)?;
    PublicKey::from(key.clone())
        .verify(namespace, payload, &signature)
        .map_err(|_| CommitFault::BadSignature { fingerprint: fingerprint.clone() })?;
    check_touch(&signature, &fingerprint)?;
    Ok(signer)
}

fn find_signer(
    key: &KeyData,
    namespace: &str,
    policy: &SigningPolicy,
    receipt: Timestamp,
) -> Result<Signer, CommitFault> {
    let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
    let lines = || policy.allowed.iter().filter(|line| line.key == *key && line.covers_namespace(namespace));
    if let Some(line) = lines().find(|line| line.is_valid_at(receipt)) {
        return Ok(Signer { principals: line.principals.clone(), fingerprint });
    }
    Err(match lines().next() {
        Some(line) => CommitFault::SignerNotValidNow { fingerprint, principal: line.principals.join(",") },
        None => CommitFault::UnknownSigner { fingerprint, policy: policy.commit },
    })
}

/// Wraps the armour anew before decoding: signing programs differ in the
/// length of their lines, the decoder takes OpenSSH's only.
fn parse_armoured(armoured: &[u8]) -> Result<SshSig, CommitFault> {
    let text = std::str::from_utf8(armoured).map_err(|_| CommitFault::UnknownSignatureFormat)?.trim_end();
    let body = text.strip_prefix(SSH_BEGIN).ok_or(CommitFault::UnknownSignatureFormat)?;
    let body = body.strip_suffix(SSH_END).ok_or(CommitFault::MalformedSignature)?;
    let mut wrapped = format!("{SSH_BEGIN}\n");
    for (at, c) in body.chars().filter(|c| !c.is_ascii_whitespace()).enumerate() {
        if at > 0 && at % OPENSSH_LINE == 0 {
            wrapped.push('\n');
        }
        wrapped.push(c);
    }
    wrapped.push('\n');
    wrapped.push_str(SSH_END);
    SshSig::from_pem(wrapped).map_err(|_| CommitFault::MalformedSignature)
}

fn check_key_kind(key: &KeyData) -> Result<(), CommitFault> {
    let refuse = |reason| {
        Err(CommitFault::KeyNotAccepted { algorithm: display_text(key.algorithm().as_str().as_bytes()), reason })
    };
    match key {
        KeyData::Ed25519(_) | KeyData::Ecdsa(_) | KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_) => Ok(()),
        KeyData::Rsa(rsa) => {
            let bits = rsa.n.as_positive_bytes().map_or(0, |bytes| bytes.len() * 8);
            if bits < MIN_RSA_BITS { refuse("it is shorter than 2048 bits") } else { Ok(()) }
        }
        KeyData::Dsa(_) => refuse("DSA is broken"),
        KeyData::Other(_) => refuse("certificates and unknown kinds of keys are not supported yet"),
        _ => refuse("this kind of key is unknown"),
    }
}

fn check_touch(signature: &SshSig, fingerprint: &str) -> Result<(), CommitFault> {
    if !matches!(signature.public_key(), KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_)) {
        return Ok(());
    }
    let bytes = signature.signature_bytes();
    let flags = bytes.len().checked_sub(SECURITY_KEY_TRAILER).and_then(|at| bytes.get(at));
    match flags {
        Some(flags) if flags & USER_PRESENT != 0 => Ok(()),
        _ => Err(CommitFault::NoTouch { fingerprint: fingerprint.to_owned() }),
    }
}
