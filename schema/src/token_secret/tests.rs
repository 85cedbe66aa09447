#![allow(clippy::unwrap_used)]
use minisign::KeyPair;

use super::*;
use crate::envelope::Signature;

#[test]
fn a_token_signs_by_its_public_key_after_it_was_carried_as_text() {
    let pair = KeyPair::generate_unencrypted_keypair().unwrap();
    let token = TokenSecret::of_secret_key(&pair.sk.to_bytes()).unwrap();
    let carried: TokenSecret = format!("  {}\n", token.to_text()).parse().unwrap();
    assert_eq!(carried, token);
    let public: PublicKey = pair.pk.to_base64().parse().unwrap();
    assert_eq!(carried.public_key(), public);
    let secret = minisign::SecretKey::from_bytes(&carried.to_secret_key()).unwrap();
    let signature = minisign::sign(None, &secret, &b"said"[..], None, None).unwrap().into_string();
    let signature = Signature::load(signature.as_bytes()).unwrap();
    signature.verify(b"said", &public).unwrap();
    assert!(signature.verify(b"another", &public).is_err());
}

#[test]
fn what_is_damaged_or_something_else_is_no_token() {
    let pair = KeyPair::generate_unencrypted_keypair().unwrap();
    let text = TokenSecret::of_secret_key(&pair.sk.to_bytes()).unwrap().to_text();
    let other = if text.ends_with('A') { "B" } else { "A" };
    let changed = [&text[..text.len() - 1], other].concat();
    let cut = &text[..text.len() - 4];
    let middle = [&text[..40], &text[41..]].concat();
    for damaged in [changed.as_str(), cut, &middle, &format!("{text}AAAA"), "muster-token-"] {
        assert_eq!(damaged.parse::<TokenSecret>(), Err(BadTokenSecret::Checksum), "{damaged}");
    }
    for foreign in ["", "muster_0123", "token", &"muster-token-".repeat(100)] {
        assert_eq!(foreign.parse::<TokenSecret>(), Err(BadTokenSecret::Form), "{foreign}");
    }
    assert!(TokenSecret::of_secret_key(&pair.sk.to_bytes()[1..]).is_none());
}

#[test]
fn a_token_does_not_show_itself() {
    let pair = KeyPair::generate_unencrypted_keypair().unwrap();
    let token = TokenSecret::of_secret_key(&pair.sk.to_bytes()).unwrap();
    assert_eq!(format!("{token:?}"), format!("TokenSecret({})", token.public_key().id()));
}
