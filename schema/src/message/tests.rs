mod attack;

use super::*;

fn message(body: Body) -> Message {
    Message {
        fleet: "shop".parse().expect("a name"),
        from: Party::Orchestrator,
        to: Party::Orchestrator,
        id: "00".repeat(16),
        seq: 7,
        issued: Timestamp(1),
        expires: Timestamp(2),
        in_reply_to: None,
        body,
    }
}

#[test]
fn a_message_round_trips() {
    let sent = message(Body::Presence(Presence { agent: "0.1.0".into(), start: None, heard: None }));
    let bytes = sent.to_bytes().expect("bytes");
    assert_eq!(Message::load(&bytes).expect("a message"), sent);
}

#[test]
fn every_receipt_code_reads_back() {
    for code in crate::ReceiptCode::ALL {
        assert_eq!(crate::ReceiptCode::load(code.as_str()), Some(*code));
    }
    assert_eq!(crate::ReceiptCode::load("Nothing"), None);
}
