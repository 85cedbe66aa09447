//! Signatures that minisign did not write.

use super::*;

#[test]
fn a20_every_flipped_bit_of_a_signature_is_refused() {
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
fn a21_legacy_signatures_are_refused() {
    let (_, text) = signed(b"hello");
    let line = text.lines().nth(1).expect("line 2").to_owned();
    let mut bytes = STANDARD.decode(&line).expect("base64");
    bytes[1] = b'd';
    let legacy = text.replacen(&line, &STANDARD.encode(bytes), 1);
    assert_eq!(Signature::load(legacy.as_bytes()), Err(SignatureError::Legacy));
}

#[test]
fn a23_other_spellings_of_a_signature_are_refused() {
    let (_, text) = signed(b"hello");
    let lines: Vec<&str> = text.lines().collect();
    let crlf = text.replace('\n', "\r\n");
    let trailing = format!("{text}\n");
    let more = format!("{text}more\n");
    let cut = text.trim_end().to_owned();
    let spaced = text.replacen(lines[1], &format!("{} ", lines[1]), 1);
    let long = text.replacen("trusted comment: t", &format!("trusted comment: {}", "t".repeat(1000)), 1);
    // The last base64 digit before '==' has four bits that decode to nothing.
    let mut digits = lines[3].as_bytes().to_vec();
    digits[85] += 1;
    let loose = text.replacen(lines[3], std::str::from_utf8(&digits).expect("text"), 1);
    let bare = text.replacen(lines[3], lines[3].trim_end_matches('='), 1);
    let others = [crlf, trailing, more, cut, spaced, long, loose, bare, String::new()];
    assert!(!others.contains(&text));
    let taken: Vec<String> = others.into_iter().filter(|bad| Signature::load(bad.as_bytes()).is_ok()).collect();
    assert_eq!(taken, Vec::<String>::new());
}

/// The order of the group of Ed25519, in little endian (RFC 8032, 5.1).
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// Adds the order to the scalar, the last 32 bytes of a signature: what a careless verifier takes for the same.
fn raise(signature: &mut [u8]) {
    let at = signature.len() - 32;
    let mut carry = 0;
    for (byte, add) in signature[at..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    assert_eq!(carry, 0, "it still is a number of 32 bytes");
}

#[test]
fn a22_a_scalar_raised_by_the_order_of_the_group() {
    let (key, text) = signed(b"hello");
    for line in [1, 3] {
        let right = text.lines().nth(line).expect("four lines").to_owned();
        let mut bytes = STANDARD.decode(&right).expect("base64");
        raise(&mut bytes);
        let raised = text.replace(&right, &STANDARD.encode(bytes));
        assert_ne!(raised, text);
        let signature = Signature::load(raised.as_bytes()).expect("it has the form");
        assert_eq!(signature.verify(b"hello", &key), Err(SignatureError::Mismatch), "line {}", line + 1);
    }
    assert_eq!(Signature::load(text.as_bytes()).expect("a signature").verify(b"hello", &key), Ok(()));
}
