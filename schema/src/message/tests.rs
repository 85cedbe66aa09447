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
    let sent = message(Body::Presence(Presence { agent: "0.1.0".into() }));
    let bytes = sent.to_bytes().expect("bytes");
    assert_eq!(Message::load(&bytes).expect("a message"), sent);
}

#[test]
fn a_body_of_another_type_is_refused() {
    let bytes = message(Body::Presence(Presence { agent: "0.1.0".into() })).to_bytes().expect("bytes");
    let text = String::from_utf8(bytes).expect("text");
    for word in ["facts", "report", "announce", "nothing"] {
        let other = text.replace(r#""type":"presence""#, &format!(r#""type":"{word}""#));
        assert!(Message::load(other.as_bytes()).is_err(), "{word}");
    }
}

#[test]
fn every_receipt_code_reads_back() {
    for code in crate::ReceiptCode::ALL {
        assert_eq!(crate::ReceiptCode::load(code.as_str()), Some(*code));
    }
    assert_eq!(crate::ReceiptCode::load("Nothing"), None);
}
