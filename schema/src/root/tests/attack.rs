//! Root documents that do not follow.

use super::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

#[test]
fn a01_a_root_signed_only_by_new_keys() {
    let (old, new) = (pair(), pair());
    let held = pin(&root(1, role(1, &[&old])), &[&old]);
    let next = bytes(&root(2, role(1, &[&new])));
    assert!(held.next(&next, &sign(&next, &[&new])).is_err());
    assert!(held.next(&next, &sign(&next, &[&old, &new])).is_ok());
}

#[test]
fn a02_a_root_signed_only_by_old_keys() {
    let (old, new) = (pair(), pair());
    let held = pin(&root(1, role(1, &[&old])), &[&old]);
    let next = bytes(&root(2, role(1, &[&new])));
    assert!(held.next(&next, &sign(&next, &[&old])).is_err());
    assert!(held.next(&next, &sign(&next, &[&old, &new])).is_ok());
}

#[test]
fn a03_versions_follow_without_a_gap() {
    let key = pair();
    let held = pin(&root(1, role(1, &[&key])), &[&key]);
    for version in [0, 1, 3] {
        let next = bytes(&root(version, role(1, &[&key])));
        assert!(matches!(held.next(&next, &sign(&next, &[&key])), Err(RootError::NotNext { .. })));
    }
}

#[test]
fn a04_one_key_counts_once() {
    let (a, b) = (pair(), pair());
    let held = pin(&root(1, role(2, &[&a, &b])), &[&a, &b]);
    let next = bytes(&root(2, role(2, &[&a, &b])));
    assert!(held.next(&next, &sign(&next, &[&a, &a])).is_err());
    assert!(held.next(&next, &sign(&next, &[&a, &b])).is_ok());
}

#[test]
fn a05_thresholds_that_nobody_or_nothing_meets() {
    let key = pair();
    // Of another role than the one that must have signed this very document.
    let mut more = root(1, role(1, &[&key]));
    more.roles.render.threshold = 2;
    refused(&[root(1, role(0, &[&key])), root(1, role(2, &[&key])), more], &key);
}

#[test]
fn a06_one_key_in_two_roles_or_twice_in_one() {
    let key = pair();
    let mut shared = root(1, role(1, &[&key]));
    shared.roles.fresh = role(1, &[&key]);
    refused(&[shared, root(1, role(2, &[&key, &key]))], &key);
}

#[test]
fn a04_a06_one_key_under_two_ids_is_one_key() {
    let key = pair();
    let mut text = STANDARD.decode(key.pk.to_base64()).expect("base64");
    text[2] ^= 1;
    let relabelled: PublicKey = STANDARD.encode(text).parse().expect("a key");
    assert_ne!(relabelled, public(&key));
    let mut alone = root(1, role(2, &[&key]));
    alone.roles.root.keys.push(relabelled);
    let mut shared = root(1, role(1, &[&key]));
    shared.roles.render.keys = vec![relabelled];
    for unsound in [alone, shared] {
        let found = load_root(&bytes(&unsound));
        assert!(matches!(found, Err(RootError::SharedKey(key)) if key == relabelled), "{found:?}");
    }
}

/// None of them counts, neither as the first root nor as the next one.
fn refused(unsound: &[Root], key: &KeyPair) {
    let held = pin(&root(1, role(1, &[key])), &[key]);
    for unsound in unsound {
        let first = bytes(unsound);
        assert!(VerifiedRoot::pinned(&first, &sign(&first, &[key]), Sha256Digest::of(&first)).is_err());
        let next = bytes(&Root { version: 2, ..unsound.clone() });
        assert!(held.next(&next, &sign(&next, &[key])).is_err());
    }
    let good = bytes(&root(2, role(1, &[key])));
    assert!(held.next(&good, &sign(&good, &[key])).is_ok());
}
