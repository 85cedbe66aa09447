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
