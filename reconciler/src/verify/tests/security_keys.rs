//! Security keys (sk-): the same wire form, made without the hardware.

use ssh_key::public::{KeyData, SkEd25519};
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, PublicKey, Signature, SigningKey, SshSig};

use super::{assert_refused, verify};
use crate::test_repository::{TestRepository, insert_signature};
use sha2::{Digest, Sha256};

/// Signs as PROTOCOL.u2f of OpenSSH says: over the digests of application and
/// data, with flags and counter between.
fn sign_by_security_key(key: &PrivateKey, public: &KeyData, payload: &[u8], flags: u8) -> String {
    let counter = 7_u32.to_be_bytes();
    let data = SshSig::signed_data("git", HashAlg::Sha512, payload).unwrap();
    let signed = [&Sha256::digest("ssh:")[..], &[flags], &counter, &Sha256::digest(&data)[..]].concat();
    let raw = sign_raw(key, &signed);
    let bytes = [raw.as_bytes(), &[flags], &counter].concat();
    let signature = Signature::new(Algorithm::SkEd25519, bytes).unwrap();
    SshSig::new(public.clone(), "git", HashAlg::Sha512, signature).unwrap().to_pem(LineEnding::LF).unwrap()
}

fn sign_raw(key: &impl SigningKey, bytes: &[u8]) -> Signature {
    key.try_sign(bytes).unwrap()
}

#[test]
fn a_touch_is_needed() {
    let repo = TestRepository::new();
    let key = PrivateKey::read_openssh_file(&repo.key("mallory")).unwrap();
    let public = KeyData::SkEd25519(SkEd25519::from(*key.public_key().key_data().ed25519().unwrap()));
    let line = PublicKey::new(public.clone(), "").to_openssh().unwrap();
    assert!(line.starts_with("sk-ssh-ed25519@openssh.com "));
    repo.write("policy/allowed_signers", &format!("{}mallory@example.com {line}\n", repo.signer_line("alice", "")));
    let anchor = repo.commit_as("alice", "list a security key");
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let raw = repo.raw_commit(&tree, &[anchor], "", "by security key\n");

    let touched = insert_signature(&raw, &[&sign_by_security_key(&key, &public, &raw, 0x01)]);
    let head = repo.hash_object("commit", &touched);
    assert_eq!(verify(&repo, anchor, head).unwrap().commits()[0].signer.principals, ["mallory@example.com"]);
    let untouched = insert_signature(&raw, &[&sign_by_security_key(&key, &public, &raw, 0x00)]);
    let head = repo.hash_object("commit", &untouched);
    assert_refused(&repo, anchor, head, head, "NoTouch");
    // The plain key behind it is another key.
    let head = repo.commit_as("mallory", "plain");
    assert_refused(&repo, anchor, head, head, "UnknownSigner");
}
