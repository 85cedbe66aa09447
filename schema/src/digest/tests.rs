use super::*;

#[test]
fn a_digest_has_one_spelling() {
    let digest = Sha256Digest::of(b"a");
    let text = digest.to_string();
    assert_eq!(text.parse::<Sha256Digest>(), Ok(digest));
    assert_eq!(serde_json::to_string(&digest).unwrap(), format!("\"{text}\""));
    assert_eq!(text.get(..8), Some("ca978112"));
    let odd = text.get(1..).unwrap();
    for bad in [&text.to_uppercase(), odd, &format!("{text}00"), &format!("é{}", &text[2..]), &format!(" {odd}"), ""] {
        assert!(bad.parse::<Sha256Digest>().is_err(), "{bad:?}");
    }
}
