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
fn every_flipped_bit_is_refused() {
    let (key, text) = signed(b"hello");
    for at in 0..text.len() {
        // The untrusted comment's free text is the one part that nobody signs.
        if (UNTRUSTED.len()..text.find('\n').expect("a line")).contains(&at) {
            continue;
        }
        for bit in 0..8 {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let taken = Signature::load(&bytes).and_then(|signature| signature.verify(b"hello", &key));
            assert!(taken.is_err(), "bit {bit} of byte {at} may flip");
        }
    }
}

#[test]
fn other_spellings_are_refused() {
    let (_, text) = signed(b"hello");
    let lines: Vec<&str> = text.lines().collect();
    let crlf = text.replace('\n', "\r\n");
    let trailing = format!("{text}\n");
    let more = format!("{text}more\n");
    let cut = text.trim_end().to_owned();
    let spaced = text.replacen(lines[1], &format!("{} ", lines[1]), 1);
    let long = text.replacen("trusted comment: t", &format!("trusted comment: {}", "t".repeat(1000)), 1);
    // The last base64 digit before '==' has four bits that decode to nothing.
    let loose = text.replacen(lines[3], &lines[3].replace("==", "").chars().rev().skip(1).collect::<String>(), 1);
    for bad in [crlf, trailing, more, cut, spaced, long, loose, String::new()] {
        assert!(Signature::load(bad.as_bytes()).is_err(), "{bad:?} was taken");
    }
}

#[test]
fn legacy_signatures_are_refused() {
    let (_, text) = signed(b"hello");
    let line = text.lines().nth(1).expect("line 2").to_owned();
    let mut bytes = STANDARD.decode(&line).expect("base64");
    bytes[1] = b'd';
    let legacy = text.replacen(&line, &STANDARD.encode(bytes), 1);
    assert_eq!(Signature::load(legacy.as_bytes()), Err(SignatureError::Legacy));
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
