#![allow(clippy::unwrap_used)]
use super::*;

const ONE: &str = "id: 7\ndata: {\"id\":7,\"at\":5,\"kind\":\"host_drift\",\"host\":\"web-1\",\"message\":\"m\"}\n\n";

fn read(text: &str) -> Vec<io::Result<Sent>> {
    SentEvents::of(text.as_bytes()).collect()
}

fn ids(text: &str) -> Vec<Option<u64>> {
    let id = |sent: io::Result<Sent>| match sent.unwrap() {
        Sent::Event(event) => Some(event.id),
        Sent::Reset => None,
    };
    read(text).into_iter().map(id).collect()
}

#[test]
fn events_and_resets_come_one_by_one_and_comments_are_nothing() {
    let text = format!(":\n\n{ONE}:\n\nevent: reset\ndata: {{}}\n\n{}", ONE.replace('\n', "\r\n"));
    assert_eq!(ids(&text), [Some(7), None, Some(7)]);
}

#[test]
fn what_was_cut_off_is_not_told() {
    for end in 1..ONE.len() {
        assert!(read(&ONE[..end]).is_empty(), "{end}");
    }
}

#[test]
fn a_line_without_end_and_what_is_no_event_end_the_stream() {
    assert!(read("data: {}\n\n")[0].is_err());
    assert!(read(&format!("data: {}", "x".repeat(3 << 20))).is_empty());
}
