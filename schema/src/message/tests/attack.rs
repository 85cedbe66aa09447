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

#[test]
fn a25_a_body_is_read_as_strictly_as_the_rest() {
    let bytes = message(Body::Presence(Presence { agent: "0.1.0".into(), start: None, heard: None }))
        .to_bytes()
        .expect("bytes");
    let text = String::from_utf8(bytes).expect("text");
    let twice = text.replace(r#""agent":"0.1.0""#, r#""agent":"0.1.0","start":null,"\u0073tart":null"#);
    assert_ne!(twice, text);
    let fault = Message::load(twice.as_bytes()).expect_err("a key stands twice");
    assert!(std::error::Error::source(&fault).is_some_and(|source| source.to_string().contains("stands twice")));
}
