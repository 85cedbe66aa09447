use std::io::Cursor;

use minisign::KeyPair;

use super::*;

fn pair() -> KeyPair {
    KeyPair::generate_unencrypted_keypair().expect("keys")
}

fn public(pair: &KeyPair) -> PublicKey {
    pair.pk.to_base64().parse().expect("a key")
}

fn role(threshold: u32, keys: &[&KeyPair]) -> Role {
    Role { threshold, keys: keys.iter().map(|pair| public(pair)).collect() }
}

fn root(version: u64, signers: Role) -> Root {
    Root {
        r#type: RootType::Is,
        fleet: "shop".parse().expect("a name"),
        version,
        epoch: 1,
        expires: Timestamp(0),
        roles: Roles { root: signers, render: role(1, &[&pair()]), fresh: role(1, &[&pair()]) },
    }
}

fn sign(bytes: &[u8], by: &[&KeyPair]) -> Vec<Signature> {
    let sign = |pair: &&KeyPair| {
        let signature = minisign::sign(None, &pair.sk, Cursor::new(bytes), None, None).expect("signed");
        Signature::load(signature.into_string().as_bytes()).expect("a signature")
    };
    by.iter().map(sign).collect()
}

fn bytes(root: &Root) -> Vec<u8> {
    serde_json::to_vec(root).expect("json")
}

fn pin(first: &Root, by: &[&KeyPair]) -> VerifiedRoot {
    let bytes = bytes(first);
    VerifiedRoot::pinned(&bytes, &sign(&bytes, by), Sha256Digest::of(&bytes)).expect("pinned")
}

#[test]
fn a_chain_needs_both_the_old_and_the_new_keys() {
    let (old, new) = (pair(), pair());
    let held = pin(&root(1, role(1, &[&old])), &[&old]);
    let next = bytes(&root(2, role(1, &[&new])));
    assert!(held.next(&next, &sign(&next, &[&old, &new])).is_ok());
    assert!(held.next(&next, &sign(&next, &[&old])).is_err(), "only by old keys");
    assert!(held.next(&next, &sign(&next, &[&new])).is_err(), "only by new keys");
}

#[test]
fn versions_follow_without_a_gap() {
    let key = pair();
    let held = pin(&root(1, role(1, &[&key])), &[&key]);
    for version in [0, 1, 3] {
        let next = bytes(&root(version, role(1, &[&key])));
        assert!(matches!(held.next(&next, &sign(&next, &[&key])), Err(RootError::NotNext { .. })));
    }
}

#[test]
fn one_key_counts_once() {
    let (a, b) = (pair(), pair());
    let held = pin(&root(1, role(2, &[&a, &b])), &[&a, &b]);
    let next = bytes(&root(2, role(2, &[&a, &b])));
    assert!(held.next(&next, &sign(&next, &[&a, &a])).is_err());
    assert!(held.next(&next, &sign(&next, &[&a, &b])).is_ok());
}

#[test]
fn unsound_roles_are_refused() {
    let key = pair();
    let mut shared = root(1, role(1, &[&key]));
    shared.roles.fresh = role(1, &[&key]);
    let doubled = root(1, role(2, &[&key, &key]));
    let zero = root(1, role(0, &[&key]));
    let high = root(1, role(2, &[&key]));
    for unsound in [shared, doubled, zero, high] {
        let bytes = bytes(&unsound);
        assert!(VerifiedRoot::pinned(&bytes, &sign(&bytes, &[&key]), Sha256Digest::of(&bytes)).is_err());
    }
}

#[test]
fn another_first_root_is_refused() {
    let key = pair();
    let bytes = bytes(&root(1, role(1, &[&key])));
    let other = Sha256Digest::of(b"other");
    assert!(matches!(VerifiedRoot::pinned(&bytes, &sign(&bytes, &[&key]), other), Err(RootError::NotPinned { .. })));
}
