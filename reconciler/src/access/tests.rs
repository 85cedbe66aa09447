use std::collections::BTreeMap;
use std::time::Duration;

use muster_schema::Timestamp;

use super::*;
use crate::audit::AuditEntry;

const NOW: Timestamp = Timestamp(1_000_000);

fn make(name: &str, secret: u8, scopes: &[Scope], hosts: &str) -> (Token, String) {
    let scopes = scopes.iter().copied().collect();
    Token::make(name, [secret; 32], scopes, hosts.parse().unwrap(), NOW, Duration::from_secs(60))
}

fn caller(scopes: &[Scope], hosts: &str) -> Caller {
    Caller::Token(Box::new(make("ci", 1, scopes, hosts).0))
}

#[test]
fn a_token_is_found_by_its_text_alone() {
    let (one, text) = make("one", 1, &[Scope::Read], "*");
    let (two, other) = make("two", 2, &[Scope::Act], "role=web");
    let mut list = TokenList::default();
    list.add(one.clone()).unwrap();
    list.add(two.clone()).unwrap();
    assert_eq!((list.find(&text), list.find(&other)), (Some(&one), Some(&two)));
    let kept = serde_json::to_string(&list).unwrap();
    assert!(!kept.contains(text.trim_start_matches("muster_")), "{kept}");
    for wrong in ["", "muster_", &text[1..], &format!("{text} "), &one.sha256.to_string(), &text.to_uppercase()] {
        assert_eq!(list.find(wrong), None, "{wrong}");
    }
    assert_eq!(list.add(one), Err(BadToken::Taken("one".into())));
    assert_eq!(list.revoke("three"), Err(BadToken::Unknown("three".into())));
    list.revoke("one").unwrap();
    assert_eq!(list.find(&text), None);
    let read: TokenList = serde_json::from_str(&serde_json::to_string(&list).unwrap()).unwrap();
    assert_eq!(read, list);
}

#[test]
fn a_token_ends_on_time() {
    let (token, _) = make("one", 1, &[Scope::Read], "*");
    assert!(!token.has_expired(NOW) && !token.has_expired(Timestamp(1_059_999)));
    assert!(token.has_expired(Timestamp(1_060_000)));
}

#[test]
fn names_are_plain() {
    for name in ["", "a b", "a\n", "ä", "a/b", &"x".repeat(64)] {
        assert_eq!(check_name(name), Err(BadToken::Name), "{name:?}");
    }
    for name in ["ci", "Kim.Doe_2", &"x".repeat(63)] {
        assert_eq!(check_name(name), Ok(()), "{name:?}");
    }
}

#[test]
fn scopes_include_nothing_else_and_hosts_are_those_selected() {
    let web: BTreeMap<String, String> = [("role".into(), "web".into())].into();
    let db: BTreeMap<String, String> = [("role".into(), "db".into())].into();
    let limited = caller(&[Scope::Read, Scope::Query], "role=web");
    assert_eq!(limited.check_host(Scope::Query, Some(&web)), Ok(()));
    for denied in [
        limited.check_host(Scope::Query, Some(&db)),
        limited.check_host(Scope::Act, Some(&web)),
        // What it cannot know to be among its hosts is not.
        limited.check_host(Scope::Query, None),
        limited.check_fleet(Scope::Read),
        caller(&[Scope::Act], "*").check_scope(Scope::Read),
        caller(&[Scope::Act], "*").check_host(Scope::Query, Some(&web)),
    ] {
        assert!(denied.is_err());
    }
    assert_eq!(caller(&[Scope::Act], "*").check_host(Scope::Act, None), Ok(()));
    assert_eq!(Caller::Local.check_fleet(Scope::Act), Ok(()));
}

#[test]
fn each_token_that_came_or_went_is_written_down_once() {
    let mut list = TokenList::default();
    list.add(make("one", 1, &[Scope::Read], "*").0).unwrap();
    list.add(make("two", 2, &[Scope::Act], "role=web").0).unwrap();
    let (mut log, known) = KnownTokens::default().compare(&list, NOW);
    let told = |entries: &[AuditEntry]| {
        entries.iter().map(|entry| format!("{} {}", entry.code, entry.action)).collect::<Vec<_>>()
    };
    assert_eq!(told(&log), ["TokenCreated token one", "TokenCreated token two"]);
    assert_eq!(known.compare(&list, NOW).0, []);
    // A log that was read again knows as much; another token of the same name is another one.
    list.revoke("one").unwrap();
    list.revoke("two").unwrap();
    list.add(make("two", 3, &[Scope::Act], "role=web").0).unwrap();
    let (more, known) = KnownTokens::of_log(&log).compare(&list, NOW);
    assert_eq!(told(&more), ["TokenRevoked token one", "TokenRevoked token two", "TokenCreated token two"]);
    log.extend(more);
    assert_eq!(KnownTokens::of_log(&log), known);
    assert_eq!(told(&known.compare(&TokenList::default(), NOW).0), ["TokenRevoked token two"]);
}
