#![allow(clippy::unwrap_used)]
use minisign::KeyPair;
use muster_schema::Timestamp;
use muster_schema::root::{Roles, RootType};

use super::*;

fn pair() -> KeyPair {
    KeyPair::generate_unencrypted_keypair().unwrap()
}

fn public(pair: &KeyPair) -> PublicKey {
    pair.pk.to_base64().parse().unwrap()
}

fn role(threshold: u32, keys: &[&KeyPair]) -> Role {
    Role { threshold, keys: keys.iter().map(|pair| public(pair)).collect() }
}

fn sign(bytes: &[u8], by: &[&KeyPair]) -> Vec<Signature> {
    let sign = |pair: &&KeyPair| minisign::sign(None, &pair.sk, bytes, None, None).unwrap().into_string();
    by.iter().map(|pair| Signature::load(sign(pair).as_bytes()).unwrap()).collect()
}

/// A current document by `one`, and the next that asks for two of `holders`.
fn proposal(one: &KeyPair, holders: &[&KeyPair]) -> Proposal {
    let roles = Roles {
        root: role(1, &[one]),
        render: role(1, &[&pair()]),
        fresh: role(1, &[&pair()]),
        witness: Role::none(),
        breakglass: Role::none(),
    };
    let first = Root {
        r#type: RootType::Is,
        fleet: "shop".parse().unwrap(),
        version: 1,
        epoch: 1,
        expires: Timestamp(1),
        roles,
    };
    let bytes = serde_json::to_vec(&first).unwrap();
    let current = VerifiedRoot::pinned(&bytes, &sign(&bytes, &[one]), Sha256Digest::of(&bytes)).unwrap();
    let roles = Roles { root: role(2, holders), ..first.roles.clone() };
    let next = Root { version: 2, roles, ..first };
    Proposal::load(current, serde_json::to_vec(&next).unwrap()).unwrap()
}

#[test]
fn both_thresholds_must_be_met_and_who_is_missing_is_named() {
    let (one, a, b, c) = (pair(), pair(), pair(), pair());
    let proposal = proposal(&one, &[&a, &b, &c]);
    let finish = |by: &[&KeyPair]| proposal.finish(&sign(proposal.bytes(), by));
    for too_few in [&[][..], &[&one], &[&a, &b, &c], &[&one, &a], &[&one, &a, &a]] {
        let error = finish(too_few).unwrap_err();
        assert!(matches!(error, ProposalError::TooFew { .. }), "{error:?}");
        let b_signed = too_few.iter().any(|pair| public(pair) == public(&b));
        assert_eq!(error.to_string().contains(&public(&b).id().to_string()), !b_signed, "{error}");
    }
    assert_eq!(finish(&[&pair(), &one, &c, &a]).unwrap().1.len(), 3, "a stranger's signature is left out");
    let others = sign(b"other bytes", &[&one, &a, &b]);
    assert!(proposal.finish(&others).is_err());
}

#[test]
fn it_says_in_words_what_changes_and_what_holds_then() {
    let (one, a, b, c) = (pair(), pair(), pair(), pair());
    let text = proposal(&one, &[&a, &b, &c]).describe();
    for wanted in [
        "root document 2 is to follow 1".to_owned(),
        "root: 2 must sign, not 1".to_owned(),
        format!("root: without {}, fingerprint {}", public(&one).id(), public(&one).fingerprint()),
        format!("root: with {}", public(&b).id()),
        "root: 2 of 3 must sign".to_owned(),
        "fresh: 1 of 1 must sign".to_owned(),
    ] {
        assert!(text.contains(&wanted), "{wanted}\n{text}");
    }
}

#[test]
fn what_could_never_hold_is_refused_before_anyone_signs() {
    let one = pair();
    let good = proposal(&one, &[&pair(), &pair()]);
    let refused = |change: &dyn Fn(&mut Root)| {
        let mut next = good.next().clone();
        change(&mut next);
        Proposal::load(good.current().clone(), serde_json::to_vec(&next).unwrap()).unwrap_err()
    };
    assert!(matches!(refused(&|next| next.version = 3), ProposalError::Unsound(RootError::NotNext { .. })));
    assert!(matches!(refused(&|next| next.roles.root.threshold = 3), ProposalError::Unsound(RootError::Threshold(_))));
    let second = public(&pair());
    let refused =
        refused(&|next| next.roles.render = Role { threshold: 2, keys: vec![next.roles.render.keys[0], second] });
    assert!(matches!(refused, ProposalError::Threshold { role: RoleName::Render, threshold: 2 }));
}
