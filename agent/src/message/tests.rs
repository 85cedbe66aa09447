#![allow(clippy::unwrap_used)]
use minisign::KeyPair;
use muster_schema::envelope::{Signature, join_frame};
use muster_schema::manifest::HostIdentity;
use muster_schema::message::{Body, Message, Party, Presence, Receipt};
use muster_schema::{PublicKey, Timestamp};

use super::*;

struct Key(KeyPair);

impl Key {
    fn new() -> Self {
        Key(KeyPair::generate_unencrypted_keypair().unwrap())
    }

    fn public(&self) -> PublicKey {
        self.0.pk.to_base64().parse().unwrap()
    }

    fn frame(&self, payload: &[u8]) -> Vec<u8> {
        let text = minisign::sign(None, &self.0.sk, payload, Some("t"), Some("u")).unwrap().into_string();
        join_frame(&Signature::load(text.as_bytes()).unwrap(), payload)
    }
}

fn sender() -> Sender {
    let host = HostIdentity { id: "web-1".parse().unwrap(), key: Key::new().public() };
    Sender { fleet: "shop".parse().unwrap(), host }
}

fn reply_to(sender: &Sender) -> Message {
    Message {
        fleet: sender.fleet.clone(),
        from: Party::Orchestrator,
        to: Party::Host(sender.host.clone()),
        id: "11".repeat(16),
        seq: 5,
        issued: Timestamp(1_000),
        expires: Timestamp(2_000),
        in_reply_to: Some("00".repeat(16)),
        body: Body::Receipt(Receipt { accepted: true, code: "Accepted".into(), message: String::new(), seq: None }),
    }
}

#[test]
fn a_reply_to_us_is_taken() {
    let (fresh, sender) = (Key::new(), sender());
    let reply = reply_to(&sender);
    let frame = fresh.frame(&reply.to_bytes().unwrap());
    let verified = verify_reply(&frame, &[Key::new().public(), fresh.public()], &sender, &"00".repeat(16)).unwrap();
    assert_eq!((verified.issued(), verified.body()), (Timestamp(1_000), &reply.body));
}

#[test]
fn a_reply_that_is_not_the_orchestrators_answer_is_refused() {
    let (fresh, sender) = (Key::new(), sender());
    let good = reply_to(&sender);
    let faults: [(&str, Message); 4] = [
        ("another fleet", Message { fleet: "shed".parse().unwrap(), ..good.clone() }),
        ("another sender", Message { from: Party::Host(sender.host.clone()), ..good.clone() }),
        ("another recipient", Message { to: reply_to(&self::sender()).to, ..good.clone() }),
        ("another message", Message { in_reply_to: Some("22".repeat(16)), ..good.clone() }),
    ];
    for (fault, message) in faults {
        let frame = fresh.frame(&message.to_bytes().unwrap());
        let refused = verify_reply(&frame, &[fresh.public()], &sender, &"00".repeat(16)).unwrap_err();
        assert!(matches!(refused, ReplyError::NotOurs(why) if why == fault), "{fault}: {refused}");
    }
}

#[test]
fn a_reply_by_another_key_or_with_a_changed_byte_is_refused() {
    let (fresh, sender) = (Key::new(), sender());
    let payload = reply_to(&sender).to_bytes().unwrap();
    let id = "00".repeat(16);
    let forged = Key::new().frame(&payload);
    assert!(matches!(verify_reply(&forged, &[fresh.public()], &sender, &id), Err(ReplyError::Signer(_))));
    let mut changed = fresh.frame(&payload);
    *changed.last_mut().unwrap() = b' ';
    assert!(matches!(verify_reply(&changed, &[fresh.public()], &sender, &id), Err(ReplyError::Signature(_))));
}

#[test]
fn a_message_keeps_its_id_and_number_when_it_is_signed_again() {
    let sender = sender();
    let body = Body::Presence(Presence { agent: "1".into(), start: None, heard: None });
    let outgoing = Outgoing { id: "33".repeat(16), seq: 9, in_reply_to: None, body };
    let load = |now| Message::load(&outgoing.to_payload(&sender, Timestamp(now)).unwrap()).unwrap();
    let (first, second) = (load(10), load(20));
    assert_eq!((first.id, first.seq, first.body), (second.id, second.seq, second.body));
    assert_eq!((first.issued, first.expires, second.issued), (Timestamp(10), Timestamp(60_010), Timestamp(20)));
}
