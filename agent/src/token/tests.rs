#![allow(clippy::unwrap_used)]
use minisign::KeyPair;

use super::*;

fn secret() -> TokenSecret {
    TokenSecret::of_secret_key(&KeyPair::generate_unencrypted_keypair().unwrap().sk.to_bytes()).unwrap()
}

#[test]
fn a_claim_is_for_one_machine_of_one_fleet_and_one_host() {
    let (fleet, key) = ("shop".parse().unwrap(), secret().public_key());
    let token = Token { secret: secret(), host: Some("web-1".parse().unwrap()) };
    let claim = token.claim(&fleet, &key, "age1mine").unwrap();
    claim.verify(&fleet, &key, "age1mine").unwrap();
    assert!(claim.verify(&"other".parse().unwrap(), &key, "age1mine").is_err());
    assert!(claim.verify(&fleet, &secret().public_key(), "age1mine").is_err());
    assert!(claim.verify(&fleet, &key, "age1other").is_err());
    for host in [None, Some("web-2".parse().unwrap())] {
        let forged = TokenClaim { host, ..claim.clone() };
        assert!(forged.verify(&fleet, &key, "age1mine").is_err());
    }
}

#[test]
fn a_token_of_two_halves_that_do_not_belong_together_is_refused() {
    let (one, other) = (secret().to_secret_key(), secret().to_secret_key());
    let mixed = [&one[..94], &other[94..]].concat();
    let token = Token { secret: TokenSecret::of_secret_key(&mixed).unwrap(), host: None };
    let claim = token.claim(&"shop".parse().unwrap(), &secret().public_key(), "age1mine");
    assert!(matches!(claim, Err(TokenError::Unsound)), "{claim:?}");
}
