mod attack;

use std::io::Cursor;

use minisign::KeyPair;

use super::*;

fn signed(bytes: &[u8]) -> (PublicKey, String) {
    let pair = KeyPair::generate_unencrypted_keypair().expect("keys");
    let signature = minisign::sign(None, &pair.sk, Cursor::new(bytes), Some("t"), Some("u")).expect("signed");
    (pair.pk.to_base64().parse().expect("a key"), signature.into_string())
}

#[test]
fn what_minisign_signs_is_verified() {
    let (key, text) = signed(b"hello");
    let signature = Signature::load(text.as_bytes()).expect("a signature");
    assert_eq!(signature.key(), key.id());
    assert_eq!(signature.verify(b"hello", &key), Ok(()));
    assert_eq!(signature.verify(b"hellO", &key), Err(SignatureError::Mismatch));
    let (other, _) = signed(b"hello");
    assert!(matches!(signature.verify(b"hello", &other), Err(SignatureError::OtherKey { .. })));
}

#[test]
fn frames_split_where_they_were_joined() {
    let (key, text) = signed(b"{\"a\":\n1}");
    let signature = Signature::load(text.as_bytes()).expect("a signature");
    let frame = join_frame(&signature, b"{\"a\":\n1}");
    let (again, payload) = split_frame(&frame).expect("a frame");
    assert_eq!(again.verify(payload, &key), Ok(()));
    assert!(split_frame(b"no\nframe\n").is_err());
}
