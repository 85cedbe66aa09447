#![allow(clippy::unwrap_used)]
use muster_schema::facts::{Facts, OsFacts};

use super::*;

fn key() -> PublicKey {
    minisign::KeyPair::generate_unencrypted_keypair().unwrap().pk.to_base64().parse().unwrap()
}

fn announce(name: &str) -> Announce {
    let os = OsFacts { family: "debian".into(), id: "debian".into(), version: None, codename: None };
    let facts = Facts {
        os,
        arch: "x86_64".into(),
        cpus: 1,
        memory_mib: 1024,
        hostname: name.into(),
        address: None,
        addresses: Vec::new(),
        virtualisation: None,
    };
    let recipient = age::x25519::Identity::generate().to_public().to_string();
    Announce { name: name.parse().unwrap(), recipient, agent: "0.1.0".into(), schema: 1, facts }
}

#[test]
fn two_keys_that_claim_one_name_are_two_entries() {
    let mut list = PendingList::default();
    let (first, second) = (key(), key());
    for key in [first, second] {
        assert_eq!(list.announce(key, announce("web-1"), "192.0.2.1", Timestamp(1)).0, Listed::New);
    }
    let names: Vec<&str> = list.iter().map(|host| host.announce.name.as_str()).collect();
    assert_eq!(names, ["web-1", "web-1"]);
    assert_ne!(first.fingerprint(), second.fingerprint());
}

#[test]
fn an_agent_is_new_once_and_again_when_it_says_something_else() {
    let (mut list, key, said) = (PendingList::default(), key(), announce("web-1"));
    assert_eq!(list.announce(key, said.clone(), "a", Timestamp(1)).0, Listed::New);
    assert_eq!(list.announce(key, said.clone(), "a", Timestamp(2)).0, Listed::Known);
    assert_eq!(list.announce(key, Announce { schema: 2, ..said }, "a", Timestamp(3)).0, Listed::New);
    let host = list.get(&key).unwrap();
    assert_eq!((host.first_seen, host.last_seen, host.announce.schema), (Timestamp(1), Timestamp(3), 2));
}

#[test]
fn a_flood_is_capped_by_source_and_in_all_and_passes() {
    let (mut list, said) = (PendingList::default(), announce("flood"));
    let full = |list: &mut PendingList, source: &str, now| {
        let listed = (0..2 * MAX_PER_SOURCE).map(|_| list.announce(key(), said.clone(), source, Timestamp(now)).0);
        listed.filter(|listed| *listed == Listed::Full).count()
    };
    assert_eq!(full(&mut list, "a", 0), MAX_PER_SOURCE);
    let honest = key();
    assert_eq!(list.announce(honest, announce("web-1"), "b", Timestamp(1)).0, Listed::New, "another source has room");
    for source in ["c", "d", "e"] {
        let _ = full(&mut list, source, 1);
    }
    assert_eq!(list.iter().count(), MAX_PENDING);
    assert_eq!(list.announce(key(), announce("web-2"), "f", Timestamp(2)).0, Listed::Full);

    let later = u64::try_from(PENDING_LIFE.as_millis()).unwrap() + 2;
    let _ = list.announce(honest, announce("web-1"), "b", Timestamp(later - 1));
    let (listed, dropped) = list.announce(key(), announce("web-2"), "f", Timestamp(later));
    assert_eq!((listed, dropped.len()), (Listed::New, MAX_PENDING - 1));
    assert!(list.get(&honest).is_some(), "who goes on announcing stays");
}

#[test]
fn what_no_honest_agent_says_is_refused() {
    assert_eq!(check_announcement(&announce("web-1")), Ok(()));
    let with = |change: fn(&mut Announce)| {
        let mut said = announce("web-1");
        change(&mut said);
        check_announcement(&said)
    };
    assert_eq!(with(|said| said.recipient = "age1x".into()), Err(BadAnnouncement::Recipient));
    assert_eq!(with(|said| said.agent = "\u{1b}[2J".into()), Err(BadAnnouncement::Text("agent")));
    assert_eq!(with(|said| said.facts.hostname = "a\u{202e}b".into()), Err(BadAnnouncement::Text("hostname")));
    assert_eq!(with(|said| said.facts.arch = "x".repeat(257)), Err(BadAnnouncement::Text("arch")));
    let many = |said: &mut Announce| said.facts.addresses = vec!["192.0.2.1".parse().unwrap(); 65];
    assert_eq!(with(many), Err(BadAnnouncement::Addresses));
}
