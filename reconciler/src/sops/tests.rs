//! The files beside this one were made by sops 3.11.0 itself, with the key in `identity.txt`.

use super::*;
use crate::sealing::load_identities;

const YAML: &str = include_str!("tests/values.yaml");
const IDENTITY: &str = include_str!("tests/identity.txt");

/// What every form of the YAML sample holds, as SOPS shows it; a line of `=` is no secret.
const VALUES: &[(&str, &str)] = &[
    ("database.password", "correct horse/battery"),
    ("database.port", "5432"),
    ("database.ratio", "1.5"),
    ("database.big", "123456789012"),
    ("database.tls", "true"),
    ("database.off", "false"),
    ("database.created", "2024-01-02T00:00:00Z"),
    ("database.empty", "(empty)"),
    ("database.multi", "first line\nsecond line\n"),
    ("database.user_unencrypted", "(plain)"),
    ("database.zero_unencrypted", "(plain)"),
    ("database.ratio_unencrypted", "(plain)"),
    ("database.yes_unencrypted", "(plain)"),
    ("database.text_unencrypted", "(plain)"),
    ("zoo.0", "bear"),
    ("zoo.1.name", "ant: eater"),
    ("zoo.1.Tail.Length", "3"),
    ("zoo.2.0", "a"),
    ("zoo.2.1", "b"),
    ("api_key", "ключ 🔑"),
    ("alpha", "first"),
];

fn open(file: &str, form: SopsForm, text: &str) -> Result<Vec<(String, String)>, SopsError> {
    let shown = |value: SopsValue| {
        let content = match value.content {
            SopsContent::Secret(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
            SopsContent::Plain => "(plain)".to_owned(),
            SopsContent::Empty => "(empty)".to_owned(),
        };
        (value.path.join("."), content)
    };
    let values = open_sops(file, form, text.as_bytes(), &load_identities(IDENTITY).unwrap())?;
    Ok(values.into_iter().map(shown).collect())
}

fn yaml(text: &str) -> Result<Vec<(String, String)>, SopsError> {
    open("values.yaml", SopsForm::Yaml, text)
}

fn owned(values: &[(&str, &str)]) -> Vec<(String, String)> {
    values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn every_type_of_value_in_yaml_is_what_sops_shows() {
    assert_eq!(yaml(YAML).unwrap(), owned(VALUES));
}

#[test]
fn what_a_rule_of_sops_leaves_plain_is_told_apart() {
    let all_but = |kept: &[&str]| -> Vec<(String, String)> {
        let plain = |(key, value): &(&str, &str)| match *value {
            "(empty)" => (*key).to_owned() + "=(empty)",
            value if kept.contains(key) => format!("{key}={value}"),
            _ => (*key).to_owned() + "=(plain)",
        };
        let split = |text: String| text.split_once('=').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        VALUES.iter().map(plain).map(split).collect()
    };
    // A list below a key that is not encrypted, numbers and booleans among it, is part of the MAC all the same.
    let text = include_str!("tests/regex.yaml");
    assert_eq!(yaml(text).unwrap(), all_but(&["database.password"]));
    assert_eq!(yaml(include_str!("tests/mac-only.yaml")).unwrap(), all_but(&["database.password"]));
    assert_eq!(yaml(include_str!("tests/comment-regex.yaml")).unwrap(), all_but(&["zoo.0"]));
}

#[test]
fn json_dotenv_and_binary_are_what_sops_shows() {
    let json = open("values.json", SopsForm::Json, include_str!("tests/values.json")).unwrap();
    let expected = [
        ("zeta.password", "hunter2"),
        ("zeta.n", "3"),
        ("zeta.f", "1500"),
        ("zeta.t", "true"),
        ("zeta.e", "(empty)"),
        ("zeta.list.0", "x"),
        ("zeta.list.1.k", "v"),
        ("alpha_unencrypted", "(plain)"),
        ("g_unencrypted", "(plain)"),
        ("b", "é\"\\/"),
    ];
    assert_eq!(json, owned(&expected));
    let expected =
        [("DB_PASSWORD", "p w=1"), ("MULTI", "one\ntwo"), ("EMPTY", "(empty)"), ("NAME_unencrypted", "(plain)")];
    for text in [include_str!("tests/values.env"), include_str!("tests/mac-only.env")] {
        assert_eq!(open("values.env", SopsForm::Dotenv, text).unwrap(), owned(&expected));
    }
    let binary = open("tls.key", SopsForm::Binary, include_str!("tests/tls.key")).unwrap();
    assert_eq!(binary, owned(&[("data", "-----BEGIN KEY-----\nabc\n")]));
}

#[test]
fn what_was_changed_by_hand_is_refused() {
    let without = |line: &str| {
        let kept: Vec<&str> = YAML.lines().filter(|one| !one.trim_start().starts_with(line)).collect();
        assert!(kept.len() < YAML.lines().count());
        kept.join("\n")
    };
    for (changed, text) in [
        ("another plain value", YAML.replace("user_unencrypted: app", "user_unencrypted: root")),
        ("one value less", without("port:")),
        ("one value more", YAML.replace("alpha:", "more: x\nalpha:")),
        ("another order", without("alpha:").replace("database:", &format!("{}\ndatabase:", line_of("alpha:")))),
        ("another time", YAML.replace("lastmodified: \"2", "lastmodified: \"3")),
    ] {
        assert!(matches!(yaml(&text), Err(SopsError::Mac)), "{changed}");
    }
    let moved = without("password:").replace("alpha:", &format!("{}\nalpha:", line_of("password:").trim()));
    assert!(matches!(yaml(&moved), Err(SopsError::Value { path, .. }) if path == "password"));
    for damaged in [YAML.replace("data:XKP", "data:YKP"), YAML.replace("data:XKP", "data:!KP")] {
        assert!(matches!(yaml(&damaged), Err(SopsError::Value { path, .. }) if path == "database.password"));
    }
    // Of encrypted values alone: a plain one may change, and nothing is made of it.
    let text = include_str!("tests/mac-only.yaml").replace("port: 5432", "port: 1");
    assert!(yaml(&text).is_ok());
    assert!(matches!(yaml(&text.replace("    mac_only_encrypted: true\n", "")), Err(SopsError::Mac)));
}

fn line_of(start: &str) -> &'static str {
    YAML.lines().find(|line| line.trim_start().starts_with(start)).unwrap()
}

#[test]
fn files_of_others_say_what_they_are() {
    let error = |form, text: &str| open("x", form, text).unwrap_err().to_string();
    assert!(error(SopsForm::Json, include_str!("tests/pgp.json")).contains("encrypted by PGP"));
    assert!(error(SopsForm::Yaml, include_str!("tests/groups.yaml")).contains("Shamir"));
    assert!(error(SopsForm::Yaml, "password: hunter2\n").contains("no file of SOPS"));
    assert!(error(SopsForm::Dotenv, "PASSWORD=hunter2\n").contains("no file of SOPS"));
    for (form, text) in [(SopsForm::Dotenv, "A=1\nhunter2\n"), (SopsForm::Json, "hunter2"), (SopsForm::Yaml, "a: b: c")]
    {
        assert!(matches!(open("x", form, text), Err(SopsError::Form(reason)) if !reason.contains("hunter2")));
    }
    let other = [Identity::generate()];
    let refused = open_sops("x", SopsForm::Yaml, YAML.as_bytes(), &other).unwrap_err().to_string();
    assert!(refused.contains("age107k9xd9g70esrd94dffn7thk93v3an70p8hvz008u7r28gppjpuqfcw3t5"), "{refused}");
    let damaged = YAML.replace("UauTxZsYUkzOQFkn", "UauTxZsYUkzOQFko");
    assert!(matches!(yaml(&damaged), Err(SopsError::DataKey { .. })));
}

#[test]
fn a_nonce_of_another_length_and_a_strange_type_are_refused() {
    let key = DataKey(Zeroizing::new([7; 32]));
    let sealed = |text: &str| SealedValue::load(&Leaf::string(text)).map(Option::unwrap);
    let tag = "AAAAAAAAAAAAAAAAAAAAAA==";
    let short = sealed(&format!("ENC[AES256_GCM,data:AAAA,iv:AAAA,tag:{tag},type:str]")).unwrap();
    assert!(short.open(&key, "a:").is_err_and(|reason| reason.contains("nonce")));
    assert!(sealed("ENC[AES256_GCM,data:AAAA,iv:AAAA,tag:AAAA,type:str]").is_err());
    assert!(sealed("ENC[AES256_GCM,data:AAAA]").is_err());
}
