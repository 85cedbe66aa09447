mod attack;

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
        roles: Roles {
            root: signers,
            render: role(1, &[&pair()]),
            fresh: role(1, &[&pair()]),
            witness: Role::none(),
            breakglass: Role::none(),
        },
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
fn another_first_root_is_refused() {
    let key = pair();
    let bytes = bytes(&root(1, role(1, &[&key])));
    let other = Sha256Digest::of(b"other");
    assert!(matches!(VerifiedRoot::pinned(&bytes, &sign(&bytes, &[&key]), other), Err(RootError::NotPinned { .. })));
}
