use super::*;

/// An event with these records.
fn event(mask: u64, pid: i32, records: &[Vec<u8>]) -> Vec<u8> {
    let records = records.concat();
    let mut bytes = Vec::new();
    bytes.extend(u32::try_from(HEAD + records.len()).unwrap().to_ne_bytes());
    bytes.extend([VERSION, 0]);
    bytes.extend(u16::try_from(HEAD).unwrap().to_ne_bytes());
    bytes.extend(mask.to_ne_bytes());
    bytes.extend((-1_i32).to_ne_bytes());
    bytes.extend(pid.to_ne_bytes());
    bytes.extend(records);
    bytes
}

fn of_kind(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + body.len()).unwrap().to_ne_bytes();
    [&[kind, 0], &length[..], body].concat()
}

fn named(handle: &[u8], name: &str) -> Vec<u8> {
    let length = u32::try_from(handle.len()).unwrap().to_ne_bytes();
    let body = [&7_u32.to_ne_bytes()[..], &9_u32.to_ne_bytes(), &length, &1_i32.to_ne_bytes(), handle];
    of_kind(libc::FAN_EVENT_INFO_TYPE_DFID_NAME, &[&body.concat(), name.as_bytes(), &[0, 0, 0]].concat())
}

#[test]
fn events_are_read_one_after_the_other() {
    let process = |fd: i32| of_kind(libc::FAN_EVENT_INFO_TYPE_PIDFD, &fd.to_ne_bytes());
    let bytes = [
        event(libc::FAN_MODIFY, 4711, &[named(b"handle", "motd"), process(12)]),
        event(libc::FAN_MOVED_TO, 0, &[process(-1), named(b"h", "new name")]),
        event(libc::FAN_Q_OVERFLOW, 0, &[]),
    ];
    let events = split(&bytes.concat());
    let place = |handle: &[u8]| Some(PlaceId { file_system: 7 | 9 << 32, kind: 1, handle: handle.to_vec() });
    let [first, second, third] = &events[..] else { panic!("{events:?}") };
    assert_eq!(
        *first,
        Split {
            pid: Some(4711),
            process: Some(12),
            place: place(b"handle"),
            name: b"motd".to_vec(),
            ..Split::default()
        }
    );
    assert_eq!(*second, Split { created: true, place: place(b"h"), name: b"new name".to_vec(), ..Split::default() });
    assert_eq!(*third, Split { lost: true, ..Split::default() });
}

#[test]
fn what_is_cut_off_is_no_event() {
    let whole = event(libc::FAN_MODIFY, 1, &[named(b"handle", "motd")]);
    for length in 0..whole.len() {
        assert_eq!(split(&whole[..length]), [], "{length}");
    }
    let mut other = whole.clone();
    other[4] = 4;
    assert_eq!(split(&other), []);
    // Lengths that lie are no reason to read on.
    let mut lies = whole;
    lies[HEAD + 2] = 0;
    assert_eq!(split(&lies).first().unwrap().place, None);
    lies[HEAD + 2] = 0xff;
    assert_eq!(split(&lies).first().unwrap().place, None);
}
