use super::*;

fn blob(text: &str) -> BlobRef {
    BlobRef::of(text.as_bytes())
}

fn secret(encode: Option<Encode>) -> Segment {
    Segment::Secret(SecretSegment { name: "db".parse().unwrap(), encode, ciphertext: blob("age") })
}

#[test]
fn a_content_is_bytes_or_segments_and_reads_back() {
    let plain = Content::from(blob("a"));
    let filled = Content::from(SecretContent::new(vec![Segment::Literal(blob("a")), secret(Some(Encode::Url))]));
    for content in [plain, filled] {
        let json = serde_json::to_string(&content).unwrap();
        assert_eq!(serde_json::from_str::<Content>(&json).unwrap(), content, "{json}");
    }
}

#[test]
fn what_the_agent_knows_of_the_bytes_is_in_no_document() {
    let mut content = SecretContent::new(vec![secret(None)]);
    content.filled = Some(Sha256Digest::of(b"keyed"));
    let json = serde_json::to_string(&content).unwrap();
    assert!(!json.contains("filled") && !json.contains(&Sha256Digest::of(b"keyed").to_string()), "{json}");
    assert!(serde_json::from_str::<SecretContent>(r#"{"segments":[],"filled":null}"#).is_err());
}

#[test]
fn unknown_fields_and_encodings_are_refused() {
    let good = serde_json::to_value(Content::from(SecretContent::new(vec![secret(Some(Encode::Shell))]))).unwrap();
    let text = good.to_string();
    for bad in [text.replace("shell", "rot13"), text.replace("\"name\"", "\"nome\""), text.replace("secret", "other")] {
        assert!(serde_json::from_str::<Content>(&bad).is_err(), "{bad}");
    }
}

#[test]
fn segments_without_a_secret_make_no_sense() {
    assert!(SecretContent::new(vec![Segment::Literal(blob("a"))]).fault().is_some());
    assert!(SecretContent::new(vec![secret(None); MAX_SEGMENTS + 1]).fault().is_some());
    assert!(SecretContent::new(vec![secret(None)]).fault().is_none());
}

const HEADER: &str = "age-encryption.org/v1\n-> X25519 abc\nYm9keQ\n--- mac\n";

#[test]
fn a_file_of_age_for_keys_is_taken_binary_and_armoured() {
    let binary = [HEADER.as_bytes(), &[0, 159, 146, 150]].concat();
    assert_eq!(load_age(&binary).unwrap(), binary);
    let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &binary);
    let (first, second) = base64.split_at(20);
    let armoured = format!("-----BEGIN AGE ENCRYPTED FILE-----\n{first}\n{second}\n-----END AGE ENCRYPTED FILE-----\n");
    assert_eq!(load_age(armoured.as_bytes()).unwrap(), binary);
    let greased = HEADER.replace("--- ", "-> x-grease y\nYQ\n--- ");
    assert!(load_age(greased.as_bytes()).is_ok());
}

#[test]
fn every_other_file_is_refused() {
    let table = [
        (String::new(), BadAgeFile::Form),
        ("hunter2".to_owned(), BadAgeFile::Form),
        (HEADER.replace("v1", "v2"), BadAgeFile::Form),
        (HEADER.replace("--- mac\n", ""), BadAgeFile::Form),
        (HEADER.replace("X25519", "scrypt"), BadAgeFile::Stanza("scrypt".to_owned())),
        (HEADER.replace("X25519", "piv-p256"), BadAgeFile::Stanza("piv-p256".to_owned())),
        (HEADER.replace("--- ", "-> ssh-rsa x\nYQ\n--- "), BadAgeFile::Stanza("ssh-rsa".to_owned())),
        ("age-encryption.org/v1\n--- mac\n".to_owned(), BadAgeFile::Recipients),
        ("-----BEGIN AGE ENCRYPTED FILE-----\n!!\n-----END AGE ENCRYPTED FILE-----".to_owned(), BadAgeFile::Armour),
        ("-----BEGIN AGE ENCRYPTED FILE-----\nYWdl".to_owned(), BadAgeFile::Armour),
        (format!("{HEADER}{}", "x".repeat(1 << 20)), BadAgeFile::TooLarge),
    ];
    for (file, expected) in table {
        assert_eq!(load_age(file.as_bytes()), Err(expected), "{:.80}", file);
    }
}

#[test]
fn a_content_has_the_fields_of_one_form() {
    let digest = Sha256Digest::of(b"a");
    for bad in [
        format!(r#"{{"sha256":"{digest}","size":1,"segments":[]}}"#),
        format!(r#"{{"sha256":"{digest}","size":1,"segments":null}}"#),
        format!(r#"{{"sha256":"{digest}","size":null}}"#),
        format!(r#"{{"sha256":"{digest}"}}"#),
        r#"{"size":1}"#.to_owned(),
        "{}".to_owned(),
    ] {
        assert!(serde_json::from_str::<Content>(&bad).is_err(), "{bad}");
    }
}
