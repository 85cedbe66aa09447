#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn frames_come_back_after_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("inbox");
    let (mut inbox, frames) = Inbox::open(&path).unwrap();
    assert!(frames.is_empty());
    inbox.append([b"one".as_slice(), b"two"]).unwrap();
    let committed = inbox.size().unwrap();
    inbox.append([b"three".as_slice()]).unwrap();
    inbox.drop_first(committed).unwrap();
    inbox.append([b"four".as_slice()]).unwrap();
    drop(inbox);
    let (_, frames) = Inbox::open(&path).unwrap();
    assert_eq!(frames, [b"three".to_vec(), b"four".to_vec()]);
}

#[test]
fn a_torn_frame_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("inbox");
    Inbox::open(&path).unwrap().0.append([b"one".as_slice(), b"two"]).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    for cut in 8..bytes.len() {
        std::fs::write(&path, &bytes[..cut]).unwrap();
        let (mut inbox, frames) = Inbox::open(&path).unwrap();
        assert_eq!(frames, [b"one".to_vec()], "cut at {cut}");
        inbox.append([b"again".as_slice()]).unwrap();
        assert_eq!(Inbox::open(&path).unwrap().1, [b"one".to_vec(), b"again".to_vec()]);
    }
}
