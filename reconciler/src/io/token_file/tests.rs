use std::time::Duration;

use muster_schema::Timestamp;

use super::*;
use crate::access::{Scope, Token};

fn add(file: &TokenFile, name: &str) {
    let scopes = [Scope::Read].into();
    let (token, _) = Token::make(name, [7; 32], scopes, "*".parse().unwrap(), Timestamp(1), Duration::from_secs(60));
    file.change::<(), anyhow::Error>(|tokens| Ok(tokens.add(token)?)).unwrap();
}

fn names(file: &TokenFile) -> Vec<String> {
    file.load().unwrap().map(|list| list.tokens.iter().map(|token| token.name.clone()).collect()).unwrap_or_default()
}

#[test]
fn changes_are_seen_by_who_has_read_before_and_nobody_else_may_read_them() {
    let folder = tempfile::tempdir().unwrap();
    let (serving, command) = (TokenFile::new(folder.path()), TokenFile::new(folder.path()));
    assert_eq!(serving.load().unwrap(), None);
    add(&command, "one");
    assert_eq!(names(&serving), ["one"]);
    let mode = std::fs::metadata(folder.path().join(NAME)).unwrap().mode();
    assert_eq!(mode & 0o777, 0o600);
    add(&command, "two");
    assert_eq!(names(&serving), ["one", "two"]);
    command.change::<(), anyhow::Error>(|tokens| Ok(tokens.revoke("one")?)).unwrap();
    assert_eq!(names(&serving), ["two"]);
    // With the last one gone tokens are asked for still.
    command.change::<(), anyhow::Error>(|tokens| Ok(tokens.revoke("two")?)).unwrap();
    assert_eq!(serving.load().unwrap(), Some(Arc::default()));
}

#[test]
fn what_cannot_be_read_is_no_list_without_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let file = TokenFile::new(folder.path());
    add(&file, "one");
    for broken in ["", "{", "{\"tokens\": [], \"more\": 1}", "[]"] {
        std::fs::write(folder.path().join(NAME), broken).unwrap();
        assert!(file.load().is_err(), "{broken}");
        assert!(file.change::<(), anyhow::Error>(|_| Ok(())).is_err(), "{broken}");
        assert_eq!(std::fs::read_to_string(folder.path().join(NAME)).unwrap(), broken);
    }
}
