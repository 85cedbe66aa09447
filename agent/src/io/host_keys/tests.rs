#![allow(clippy::unwrap_used)]
use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn keys_stay_the_same_and_secret() {
    let dir = tempfile::tempdir().unwrap();
    let keys = dir.path().join("keys");
    let (first, second) = (HostKeys::load_or_make(&keys).unwrap(), HostKeys::load_or_make(&keys).unwrap());
    assert_eq!(first.public_key(), second.public_key());
    assert_eq!(first.recipient(), second.recipient());
    assert_eq!(second.sign(b"x").unwrap().verify(b"x", &first.public_key()), Ok(()));
    let mode = |name| fs::metadata(keys.join(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(SIGNING), mode(AGE), mode(PUBLIC)), (0o600, 0o600, 0o644));
    assert!(fs::read_to_string(keys.join(PUBLIC)).unwrap().contains(&first.public_key().to_string()));
}

#[test]
fn only_the_recipient_decrypts() {
    let dir = tempfile::tempdir().unwrap();
    let ours = HostKeys::load_or_make(&dir.path().join("a")).unwrap();
    let other = HostKeys::load_or_make(&dir.path().join("b")).unwrap();
    let recipient = age::x25519::Recipient::from_str(&ours.recipient()).unwrap();
    let sealed = age::encrypt(&recipient, b"proof").unwrap();
    assert_eq!(ours.decrypt(&sealed).unwrap().as_slice(), b"proof");
    assert!(matches!(other.decrypt(&sealed), Err(HostKeysError::Decrypt(_))));
    assert!(ours.decrypt(&sealed[..sealed.len() - 1]).is_err(), "cut off");
}

#[test]
fn a_damaged_key_is_never_replaced() {
    let dir = tempfile::tempdir().unwrap();
    for name in [SIGNING, AGE] {
        let keys = dir.path().join(name);
        HostKeys::load_or_make(&keys).unwrap();
        fs::write(keys.join(name), "damaged").unwrap();
        assert!(matches!(HostKeys::load_or_make(&keys), Err(HostKeysError::Damaged(_))), "{name}");
        assert_eq!(fs::read(keys.join(name)).unwrap(), b"damaged");
    }
}

/// What the host reads again, whatever keys it has.
fn check_storage(keys: &HostKeys, sealed: &[u8], digest: &[u8]) {
    assert_eq!(keys.unseal(sealed).unwrap().as_slice(), b"original");
    assert_eq!(keys.derive(b"digests").as_slice(), digest);
}

#[test]
fn the_next_keys_take_the_place_of_those_before_which_are_gone() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let before = HostKeys::load_or_make(dir).unwrap();
    assert!(HostKeys::load_next(dir).unwrap().is_none());
    let (sealed, digest) = (before.seal(b"original").unwrap(), before.derive(b"digests"));
    let [signing, age] = [SIGNING, AGE].map(|name| fs::read_to_string(dir.join(name)).unwrap());
    let next = HostKeys::make_next(dir).unwrap();
    assert_eq!(HostKeys::make_next(dir).unwrap().public_key(), next.public_key(), "made once");
    assert_eq!(HostKeys::load_or_make(dir).unwrap().public_key(), before.public_key(), "they wait");
    HostKeys::take_next(dir).unwrap();
    let now = HostKeys::load(dir).unwrap();
    assert_eq!((now.public_key(), now.recipient()), (next.public_key(), next.recipient()));
    assert_ne!((now.public_key(), now.recipient()), (before.public_key(), before.recipient()));
    check_storage(&now, &sealed, &digest);
    let mut names: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [AGE, SIGNING, PUBLIC, STORAGE]);
    for name in names {
        let text = fs::read_to_string(dir.join(name)).unwrap();
        assert!(!text.contains(signing.lines().last().unwrap()) && !text.contains(age.trim_end()));
    }
}

#[test]
fn a_crash_at_any_point_of_an_exchange_leaves_one_of_both() {
    for done in 0..=3 {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let before = HostKeys::load_or_make(dir).unwrap();
        let (sealed, digest) = (before.seal(b"original").unwrap(), before.derive(b"digests"));
        // While they were being made.
        fs::create_dir(dir.join("next.new")).unwrap();
        fs::write(dir.join("next.new").join(SIGNING), "half").unwrap();
        assert_eq!(HostKeys::load_or_make(dir).unwrap().public_key(), before.public_key());
        let next = HostKeys::make_next(dir).unwrap();
        // After the rename that decides, with so many files moved, and one wiped that was not yet.
        fs::rename(dir.join("next"), dir.join("taken")).unwrap();
        let files = [SIGNING, AGE, PUBLIC];
        for name in &files[..done] {
            fs::rename(dir.join("taken").join(name), dir.join(name)).unwrap();
        }
        if let Some(name) = files.get(done) {
            fs::write(dir.join(name), [0; 200]).unwrap();
        }
        let now = HostKeys::load_or_make(dir).unwrap();
        assert_eq!((now.public_key(), now.recipient()), (next.public_key(), next.recipient()), "{done}");
        assert!(!dir.join("taken").exists());
        check_storage(&now, &sealed, &digest);
    }
}

#[test]
fn a_host_that_had_one_key_for_both_goes_on_reading_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let before = HostKeys::load_or_make(dir).unwrap();
    fs::copy(dir.join(AGE), dir.join(STORAGE)).unwrap();
    let sealed = HostKeys::load(dir).unwrap().seal(b"original").unwrap();
    fs::remove_file(dir.join(STORAGE)).unwrap();
    let now = HostKeys::load_or_make(dir).unwrap();
    assert_eq!(now.recipient(), before.recipient());
    assert_eq!(now.unseal(&sealed).unwrap().as_slice(), b"original");
}

#[tokio::test]
async fn next_keys_are_noticed_when_they_are_made() {
    let dir = tempfile::tempdir().unwrap();
    HostKeys::load_or_make(dir.path()).unwrap();
    let made = NextKeysMade::watch(dir.path()).unwrap();
    let patience = std::time::Duration::from_secs(10);
    let waited = tokio::time::timeout(patience, made.wait());
    let make = async { HostKeys::make_next(dir.path()).unwrap() };
    let (waited, _) = tokio::join!(waited, make);
    waited.unwrap().unwrap();
}
