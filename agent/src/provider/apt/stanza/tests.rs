use std::io::Write;

use super::{Event, Stanzas};

fn events(text: &str, chunk: usize) -> Vec<String> {
    let mut told = Vec::new();
    let mut stanzas = Stanzas::new(|event| {
        told.push(match event {
            Event::Field(name, value) => format!("{name}={value}"),
            Event::End => "end".to_owned(),
        });
    });
    for piece in text.as_bytes().chunks(chunk) {
        stanzas.write_all(piece).expect("taken");
    }
    stanzas.finish();
    told
}

#[test]
fn stanzas_are_told_however_the_bytes_come() {
    let text = "Package: a\nDescription: short\n long: text\n .\nVersion:1:2\n\n\n\nPackage: b";
    let expected = ["Package=a", "Description=short", "Version=1:2", "end", "Package=b", "end"];
    for chunk in [1, 2, 3, 7, 64, 4096] {
        assert_eq!(events(text, chunk), expected, "{chunk}");
    }
    assert!(events("\n\n", 1).is_empty());
}

#[test]
fn a_line_without_an_end_is_refused() {
    let mut stanzas = Stanzas::new(|_| {});
    let piece = vec![b'a'; 1 << 16];
    let refused = (0..64).any(|_| stanzas.write_all(&piece).is_err());
    assert!(refused);
}
