//! Project Wycheproof's vectors, through the code of the libraries that verification stands on: every valid signature
//! is taken, every invalid one refused. What the vectors call acceptable may go either way.
#![allow(clippy::unwrap_used)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use signature::{Signer, Verifier};
use ssh_key::private::Ed25519Keypair;
use ssh_key::public::{EcdsaPublicKey, Ed25519PublicKey, KeyData, RsaPublicKey};
use ssh_key::{Algorithm, EcdsaCurve, HashAlg, Mpint, Signature};
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pkcs1_verify};

/// The key id of minisign's files: any eight bytes.
const KEY_ID: &[u8; 8] = b"vectors.";
const COMMENT: &str = "of the vectors";

/// What was made of the vectors of one set.
#[derive(Default)]
struct Verdicts {
    valid: usize,
    invalid: usize,
    wrong: Vec<String>,
}

impl Verdicts {
    fn note(&mut self, id: usize, expected: TestResult, comment: &str, is_taken: bool) {
        match expected {
            TestResult::Valid => self.valid += 1,
            TestResult::Invalid => self.invalid += 1,
            TestResult::Acceptable => return,
        }
        if is_taken != (expected == TestResult::Valid) {
            self.wrong.push(format!("{id} ({comment}) is {expected:?}"));
        }
    }

    /// At least so many were valid and invalid each, so that the set was there, and none was judged wrongly.
    fn check(&self, at_least: usize) {
        assert_eq!(self.wrong, Vec::<String>::new());
        assert!(self.valid >= at_least && self.invalid >= at_least, "{} and {}", self.valid, self.invalid);
    }
}

#[test]
fn ed25519_of_ssh_keys() {
    let mut verdicts = Verdicts::default();
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let key = KeyData::Ed25519(Ed25519PublicKey(group.key.pk.as_slice().try_into().unwrap()));
        for test in group.tests {
            let is_taken = is_signed(&key, Algorithm::Ed25519, test.sig, &test.msg);
            verdicts.note(test.tc_id, test.result, &test.comment, is_taken);
        }
    }
    verdicts.check(50);
}

/// The vectors sign messages and not their digests, which minisign's legacy form does. muster refuses that form before
/// it comes to the curve; the arithmetic is the same.
#[test]
fn ed25519_of_minisign_keys() {
    let mut verdicts = Verdicts::default();
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let pair = Ed25519Keypair::from_seed(group.key.sk.as_slice().try_into().unwrap());
        let key = STANDARD.encode([b"Ed", &KEY_ID[..], &group.key.pk].concat());
        let key = minisign_verify::PublicKey::from_base64(&key).unwrap();
        for test in group.tests {
            let is_taken = minisign_file(&test.sig, &pair)
                .is_some_and(|signature| key.verify(&test.msg, &signature, true).is_ok());
            verdicts.note(test.tc_id, test.result, &test.comment, is_taken);
        }
    }
    verdicts.check(50);
}

/// A signature of minisign with a right signature of its comment; none when the length is not that of a signature.
fn minisign_file(signature: &[u8], pair: &Ed25519Keypair) -> Option<minisign_verify::Signature> {
    let global: Signature = pair.try_sign(&[signature, COMMENT.as_bytes()].concat()).unwrap();
    let line = STANDARD.encode([b"Ed", &KEY_ID[..], signature].concat());
    let global = STANDARD.encode(global.as_bytes());
    let text = format!("untrusted comment: {COMMENT}\n{line}\ntrusted comment: {COMMENT}\n{global}\n");
    minisign_verify::Signature::decode(&text).ok()
}

#[test]
fn ecdsa_of_ssh_keys() {
    for (name, curve) in [
        (ecdsa::TestName::EcdsaSecp256r1Sha256P1363, EcdsaCurve::NistP256),
        (ecdsa::TestName::EcdsaSecp384r1Sha384P1363, EcdsaCurve::NistP384),
    ] {
        let mut verdicts = Verdicts::default();
        for group in ecdsa::TestSet::load(name).unwrap().test_groups {
            let key = KeyData::Ecdsa(EcdsaPublicKey::from_sec1_bytes(&group.key.key).unwrap());
            for test in group.tests {
                let is_taken = ssh_ecdsa(&test.sig, group.key.key.len() / 2)
                    .is_some_and(|signature| is_signed(&key, Algorithm::Ecdsa { curve }, signature, &test.msg));
                verdicts.note(test.tc_id, test.result, &test.comment, is_taken);
            }
        }
        verdicts.check(50);
    }
}

/// Two numbers of `size` bytes as RFC 5656, section 3.1.2, writes them.
fn ssh_ecdsa(signature: &[u8], size: usize) -> Option<Vec<u8>> {
    let (r, s) = signature.split_at_checked(size).filter(|(_, s)| s.len() == size)?;
    let mut bytes = Vec::new();
    for number in [r, s] {
        let number = Mpint::from_positive_bytes(number).ok()?;
        bytes.extend(u32::try_from(number.as_bytes().len()).unwrap().to_be_bytes());
        bytes.extend(number.as_bytes());
    }
    Some(bytes)
}

#[test]
fn rsa_of_ssh_keys() {
    use rsa_pkcs1_verify::TestName::{Rsa2048Sha256, Rsa2048Sha512, Rsa3072Sha256, Rsa3072Sha512, Rsa4096Sha512};
    for (name, hash) in [
        (Rsa2048Sha256, HashAlg::Sha256),
        (Rsa2048Sha512, HashAlg::Sha512),
        (Rsa3072Sha256, HashAlg::Sha256),
        (Rsa3072Sha512, HashAlg::Sha512),
        (Rsa4096Sha512, HashAlg::Sha512),
    ] {
        let mut verdicts = Verdicts::default();
        for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
            let number = |bytes: &[u8]| Mpint::from_positive_bytes(bytes).unwrap();
            let key = KeyData::Rsa(RsaPublicKey { e: number(&group.e), n: number(&group.n) });
            for test in group.tests {
                let is_taken = is_signed(&key, Algorithm::Rsa { hash: Some(hash) }, test.sig, &test.msg);
                verdicts.note(test.tc_id, test.result, &test.comment, is_taken);
            }
        }
        verdicts.check(5);
    }
}

fn is_signed(key: &KeyData, algorithm: Algorithm, signature: Vec<u8>, message: &[u8]) -> bool {
    Signature::new(algorithm, signature).is_ok_and(|signature| key.verify(message, &signature).is_ok())
}
