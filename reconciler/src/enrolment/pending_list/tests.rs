#![allow(clippy::unwrap_used)]
mod attack;

use super::*;
use crate::enrolment::test_announce::announce;
use crate::enrolment::test_token::machine_key;

#[test]
fn an_agent_is_new_once_and_again_when_it_says_something_else() {
    let (mut list, key, said) = (PendingList::default(), machine_key(), announce("web-1"));
    assert_eq!(list.announce(key, said.clone(), None, "a", Timestamp(1)).0, Listed::New);
    assert_eq!(list.announce(key, said.clone(), None, "a", Timestamp(2)).0, Listed::Known);
    assert_eq!(list.announce(key, Announce { schema: 2, ..said }, None, "a", Timestamp(3)).0, Listed::New);
    let host = list.get(&key).unwrap();
    assert_eq!((host.first_seen, host.last_seen, host.announce.schema), (Timestamp(1), Timestamp(3), 2));
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
