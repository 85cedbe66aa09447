//! Messages shown as others.

use super::*;

#[test]
fn a24_a_body_of_another_type_is_refused() {
    let bytes = message(Body::Presence(Presence { agent: "0.1.0".into(), start: None, heard: None }))
        .to_bytes()
        .expect("bytes");
    let text = String::from_utf8(bytes).expect("text");
    for word in ["facts", "report", "announce", "nothing"] {
        let other = text.replace(r#""type":"presence""#, &format!(r#""type":"{word}""#));
        assert!(Message::load(other.as_bytes()).is_err(), "{word}");
    }
}
