use super::{KeyError, KeyKind, check_key};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Made by gpg, as are the fingerprints.
const ONE: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawri/xYJKwYBBAHaRw8BAQdATQu5RSY7JqgrYiLvwUIifuBrpYVZqAPvUMLj
LhskXxG0FW9uZSA8b25lQGV4YW1wbGUub3JnPoiQBBMWCAA4FiEEYRGW7FdNK19k
wae4W+yqwsUz7rUFAmsK4v8CGwMFCwkIBwIGFQoJCAsCBBYCAwECHgECF4AACgkQ
W+yqwsUz7rV10gD/fvGAj8iGfDwWk8c1lchhL5mENvGd22itNA5cGWE5OaAA/3VG
Mvw8QJzofw0Ca2pvr/INfiaSwNo4pAr9XHqjaBUK
=gt/b
-----END PGP PUBLIC KEY BLOCK-----
";
const ONE_IS: &str = "611196EC574D2B5F64C1A7B85BECAAC2C533EEB5";
const TWO: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawri/xYJKwYBBAHaRw8BAQdAvgHlVeYhUqEbNBeemsr2Vlwz/mmTNrDuYzop
lgAQ0sG0FXR3byA8dHdvQGV4YW1wbGUub3JnPoiQBBMWCAA4FiEEsghCM6QzjDIb
m6k51jQWWa/ruMMFAmsK4v8CGwMFCwkIBwIGFQoJCAsCBBYCAwECHgECF4AACgkQ
1jQWWa/ruMMsuQD/ZYTDIn5CFAwHXsSydeWY4pBnO3CoMJ9Y7BOMYnvkWs0A/16+
RlCZ/10RSH0KZyeKcFNNydGYN/v4l7t0vkXS2AUA
=7X24
-----END PGP PUBLIC KEY BLOCK-----
";
const TWO_IS: &str = "B2084233A4338C321B9BA939D6341659AFEBB8C3";
/// Made by openssl, as is its digest.
const PEM: &str = "-----BEGIN PUBLIC KEY-----
MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAK42Mk5ra8DTK5LmI9lVVSoDnYb2VK1f
n2tiq6VoXomY7MGnqNCjQyNNVgs+hPotTqBTF6Mv9qcp+M3mS7Vi3G0CAwEAAQ==
-----END PUBLIC KEY-----
";
const PEM_IS: &str = "EF5349AE774C587E1BFB6580384630B6C9E5080CDAA855CF4CF8E411F54CD15B";

fn check(text: &str, fingerprints: &[&str]) -> Result<(), KeyError> {
    let fingerprints: Vec<String> = fingerprints.iter().map(|one| (*one).to_owned()).collect();
    check_key(text.as_bytes(), KeyKind::OpenPgp, &fingerprints)
}

/// The first key with its packets changed.
fn changed(change: impl FnOnce(&mut Vec<u8>)) -> String {
    let lines = ONE.lines().skip(2).take_while(|line| !line.starts_with('='));
    let mut bytes = STANDARD.decode(lines.collect::<String>()).expect("base64");
    change(&mut bytes);
    format!("{}\n\n{}\n{}\n", super::PGP_BEGIN, STANDARD.encode(bytes), super::PGP_END)
}

#[test]
fn a_key_is_known_by_its_fingerprint() {
    assert_eq!(check(ONE, &[ONE_IS]), Ok(()));
    assert_eq!(check(&format!("pub  ed25519\n\n{ONE}"), &[ONE_IS]), Ok(()), "what stands before it is no part of it");
    assert_eq!(check(&ONE.replace("BLOCK-----\n\n", "BLOCK-----\nVersion: 1\n\n"), &[ONE_IS]), Ok(()));
    assert_eq!(check(&changed(|_| ()), &[ONE_IS]), Ok(()), "a checksum is not needed");
    assert_eq!(check(&format!("{ONE}{TWO}"), &[TWO_IS, ONE_IS]), Ok(()));
    assert_eq!(check_key(PEM.as_bytes(), KeyKind::Pem, &[PEM_IS.to_owned()]), Ok(()));
    assert!(check_key(PEM.as_bytes(), KeyKind::Pem, &[ONE_IS.to_owned()]).is_err());
}

#[test]
fn another_key_is_refused_wherever_it_hides() {
    assert!(matches!(check(ONE, &[TWO_IS]), Err(KeyError::Other { .. })));
    assert!(matches!(check(&format!("{ONE}{TWO}"), &[ONE_IS]), Err(KeyError::Other { .. })));
    assert!(matches!(check(ONE, &[ONE_IS, TWO_IS]), Err(KeyError::Other { .. })));
    // Two keys in one block.
    let lines = TWO.lines().skip(2).take_while(|line| !line.starts_with('='));
    let more = STANDARD.decode(lines.collect::<String>()).expect("base64");
    let both = changed(|bytes| bytes.extend(more));
    assert!(matches!(check(&both, &[ONE_IS]), Err(KeyError::Other { .. })));
    // Behind the checksum, where apt goes on reading.
    let behind = ONE.replace("-----END", "mDMEawri\n-----END");
    assert!(matches!(check(&behind, &[ONE_IS]), Err(KeyError::Malformed(_))));
    let private = TWO.replace("PUBLIC", "PRIVATE");
    assert!(matches!(check(&format!("{ONE}{private}"), &[ONE_IS]), Err(KeyError::Malformed(_))));
}

#[test]
fn what_is_no_public_key_of_version_4_is_refused() {
    assert_eq!(check(&changed(|bytes| bytes[2] = 6), &[ONE_IS]), Err(KeyError::Version(6)));
    // The tag of a secret key in place of that of a public one.
    assert_eq!(check(&changed(|bytes| bytes[0] = 0x94), &[ONE_IS]), Err(KeyError::Malformed("it is a secret key")));
    for broken in [
        String::new(),
        "key".to_owned(),
        ONE.replace("-----END PGP", "-----END"),
        changed(|bytes| bytes.truncate(40)),
        changed(|bytes| bytes[0] = 0x9b),
        changed(|bytes| bytes.push(0x80 | 11 << 2)),
        changed(Vec::clear),
        ONE.replace("mDME", "mD!E"),
    ] {
        assert!(matches!(check(&broken, &[ONE_IS]), Err(KeyError::Malformed(_))), "{broken}");
    }
    assert!(check_key(&[0x98, 0xff, 4], KeyKind::OpenPgp, &[ONE_IS.to_owned()]).is_err());
}
