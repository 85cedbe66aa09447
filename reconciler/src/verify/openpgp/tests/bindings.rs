//! Which keys of a certificate may sign.

use pgp::composed::{ArmorOptions, Deserializable as _, SignedPublicKey, SignedPublicSubKey, SignedSecretKey};
use pgp::packet::{KeyFlags, Signature, SignatureConfig, SignatureType, Subpacket, SubpacketData};
use pgp::types::{KeyDetails as _, Password, Timestamp};

use super::keyring::{Keyring, THEN};
use crate::test_repository::TestRepository;
use crate::verify::tests::{assert_refused, verify};

#[test]
fn a_subkey_signs_for_its_certificate() {
    let repo = TestRepository::new();
    let keys = Keyring::new(&repo);
    let bob = keys.make_at(THEN, "bob", "ed25519", "cert", "never");
    let subkey = keys.add_subkey(&bob, "sign", "never");
    keys.list("bob@example.com", &bob);
    let anchor = repo.commit_as("alice", "list bob");
    let head = keys.commit(&subkey, "by the subkey");
    let revision = verify(&repo, anchor, head).unwrap();
    assert_eq!(revision.commits()[0].signer.fingerprint, bob, "named by its primary key");
}

/// Lists what `change` made of a certificate whose subkey signs, and has the subkey sign all the same.
#[track_caller]
fn assert_subkey_refused(expires: &str, change: impl Fn(&Keyring<'_>, &str), code: &str, reason: &str) {
    let repo = TestRepository::new();
    let keys = Keyring::new(&repo);
    let bob = keys.make("bob");
    let subkey = keys.add_subkey(&bob, "sign", expires);
    let changed = keys.copy();
    change(&changed, &bob);
    changed.list("bob@example.com", &bob);
    let anchor = repo.commit_as("alice", "list bob");
    let head = keys.commit(&subkey, "by the subkey");
    let rejection = assert_refused(&repo, anchor, head, head, code);
    assert!(rejection.to_string().contains(reason), "{rejection}");
    repo.git(&["reset", "-q", "--hard", &anchor.to_string()]);
    let head = keys.commit(&bob, "by the primary key");
    assert!(verify(&repo, anchor, head).is_ok());
}

#[test]
fn a_subkey_that_lost_the_flag_signs_no_more() {
    let change = |keys: &Keyring<'_>, bob: &str| keys.edit(bob, "key 1\nchange-usage\nS\nA\nQ\nsave\n");
    assert_subkey_refused("never", change, "OpenPgpKeyNotForSigning", "not for signing");
}

#[test]
fn a_revoked_subkey_signs_no_more() {
    let change = |keys: &Keyring<'_>, bob: &str| keys.edit(bob, "key 1\nrevkey\ny\n0\n\ny\nsave\n");
    assert_subkey_refused("never", change, "OpenPgpKeyRevoked", "bob@example.com is revoked");
}

#[test]
fn an_expired_subkey_signs_no_more() {
    assert_subkey_refused("2026-05-10", |_, _| {}, "OpenPgpKeyExpired", "has expired");
}

#[test]
fn a_primary_key_that_only_certifies_does_not_sign() {
    let repo = TestRepository::new();
    let keys = Keyring::new(&repo);
    let bob = keys.make("bob");
    let changed = keys.copy();
    changed.edit(&bob, "change-usage\nS\nQ\nsave\n");
    changed.list("bob@example.com", &bob);
    let anchor = repo.commit_as("alice", "list bob");
    let head = keys.commit(&bob, "mine");
    assert_refused(&repo, anchor, head, head, "OpenPgpKeyNotForSigning");
}

/// mallory binds bob's subkey to a certificate of mallory's own.
fn adopt(keys: &Keyring<'_>, answer: Option<&Signature>) -> String {
    let secret = keys.gpg(THEN, &["--armor", "--export-secret-keys", "mallory"], "");
    let (mallory, _) = SignedSecretKey::from_armor_single(&secret[..]).unwrap();
    let (bob, _) = SignedPublicKey::from_armor_single(keys.export("bob").as_bytes()).unwrap();
    let subkey = bob.public_subkeys[0].key.clone();
    let mut config = SignatureConfig::v4(
        SignatureType::SubkeyBinding,
        mallory.primary_key.algorithm(),
        pgp::crypto::hash::HashAlgorithm::Sha512,
    );
    let mut flags = KeyFlags::default();
    flags.set_sign(true);
    config.hashed_subpackets = [
        SubpacketData::SignatureCreationTime(Timestamp::from_secs(1_777_600_000)),
        SubpacketData::IssuerFingerprint(mallory.primary_key.fingerprint()),
        SubpacketData::KeyFlags(flags),
    ]
    .into_iter()
    .chain(answer.map(|answer| SubpacketData::EmbeddedSignature(Box::new(answer.clone()))))
    .map(|data| Subpacket::regular(data).unwrap())
    .collect();
    let public = mallory.primary_key.public_key();
    let binding = config.sign_subkey_binding(&mallory.primary_key, public, &Password::empty(), &subkey).unwrap();
    let mut certificate = SignedPublicKey::from_armor_single(keys.export("mallory").as_bytes()).unwrap().0;
    certificate.public_subkeys.push(SignedPublicSubKey::new(subkey, vec![binding]));
    certificate.to_armored_string(ArmorOptions::default()).unwrap()
}

#[test]
fn nobody_adopts_the_subkey_of_another() {
    let repo = TestRepository::new();
    let keys = Keyring::new(&repo);
    let bob = keys.make("bob");
    let subkey = keys.add_subkey(&bob, "sign", "never");
    keys.make("mallory");
    let (theirs, _) = SignedPublicKey::from_armor_single(keys.export("bob").as_bytes()).unwrap();
    let answer = theirs.public_subkeys[0].signatures[0].embedded_signature().unwrap();
    for answer in [None, Some(answer)] {
        repo.write("policy/openpgp/mallory.asc", &adopt(&keys, answer));
        let anchor = repo.commit_as("alice", "mallory's certificate");
        let head = keys.commit(&subkey, "by bob, or is it?");
        let rejection = assert_refused(&repo, anchor, head, head, "OpenPgpKeyNotForSigning");
        assert!(rejection.to_string().contains("own signature on its binding"), "{rejection}");

        // Where both are listed, it is bob's.
        repo.git(&["reset", "-q", "--hard", &anchor.to_string()]);
        keys.list("z-bob", &bob);
        let anchor = repo.commit_as("alice", "bob's certificate");
        let head = keys.commit(&subkey, "by bob");
        assert_eq!(verify(&repo, anchor, head).unwrap().commits()[0].signer.principals, ["z-bob"]);
        repo.git(&["rm", "-q", "policy/openpgp/z-bob.asc"]);
        repo.commit_as("alice", "again");
    }
}

#[test]
fn a_certificate_that_is_none_refuses_the_commit_that_brings_it() {
    let repo = TestRepository::new();
    let keys = Keyring::new(&repo);
    let anchor = repo.head();
    let (bob, carol) = (keys.make("bob"), keys.make("carol"));
    let good = keys.export(&bob);
    let secret = String::from_utf8(keys.gpg(THEN, &["--armor", "--export-secret-keys", &bob], "")).unwrap();
    let both = String::from_utf8(keys.gpg(THEN, &["--armor", "--export", &bob, &carol], "")).unwrap();
    let cases = [
        ("bob.asc", "no certificate", "does not begin as armour"),
        ("bob.asc", &good[..good.len() / 2], "end is missing"),
        ("bob.asc", &secret, "does not begin as armour"),
        ("bob.asc", &both, "more than one certificate"),
        ("bob.asc", &good.repeat(2), "no base64"),
        ("bob.gpg", &good, "<principal>.asc"),
        (".asc", &good, "<principal>.asc"),
        ("*.asc", &good, "<principal>.asc"),
        ("deeper/bob.asc", &good, "<principal>.asc"),
    ];
    for (name, text, reason) in cases {
        repo.git(&["reset", "-q", "--hard", &anchor.to_string()]);
        repo.write(&format!("policy/openpgp/{name}"), text);
        let head = repo.commit_as("alice", "a certificate");
        let rejection = assert_refused(&repo, anchor, head, head, "PolicyCertificate");
        assert!(rejection.to_string().contains(reason), "{name}: {rejection}");
    }
    repo.git(&["reset", "-q", "--hard", &anchor.to_string()]);
    keys.list("bob", &bob);
    keys.list("robert", &bob);
    let head = repo.commit_as("alice", "bob twice");
    assert_refused(&repo, anchor, head, head, "PolicyCertificate");
}
