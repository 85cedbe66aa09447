//! Events as the kernel writes them: `linux/fanotify.h`.

use super::PlaceId;
use rustix::fd::OwnedFd;

#[cfg(test)]
mod tests;

/// The version of the layout (`FANOTIFY_METADATA_VERSION`).
const VERSION: u8 = 3;
/// The length of `struct fanotify_event_metadata`.
const HEAD: usize = 24;

/// Something happened to a name in a folder.
#[derive(Debug)]
pub struct FolderEvent {
    /// The queue was full: events were lost, and nothing else is told.
    pub lost: bool,
    /// A name came or went away by a rename; else a thing that was there changed.
    pub created: bool,
    /// The process; none where it is outside of what this one may see.
    pub pid: Option<u32>,
    /// The same, as a descriptor that no other process can come to stand for; none once it has ended and was waited
    /// for.
    pub process: Option<OwnedFd>,
    /// The folder.
    pub place: Option<PlaceId>,
    /// The name in it; `.` is the folder itself.
    pub name: Vec<u8>,
}

/// The same, before anybody owns the descriptor.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Split {
    pub(super) lost: bool,
    pub(super) created: bool,
    pub(super) pid: Option<u32>,
    pub(super) process: Option<i32>,
    pub(super) place: Option<PlaceId>,
    pub(super) name: Vec<u8>,
}

/// The events in a buffer. What is cut off or of another version ends them.
pub(super) fn split(mut bytes: &[u8]) -> Vec<Split> {
    let mut events = Vec::new();
    while let Some((event, rest)) = split_one(bytes) {
        events.push(event);
        bytes = rest;
    }
    events
}

fn split_one(bytes: &[u8]) -> Option<(Split, &[u8])> {
    let length = usize::try_from(word(bytes, 0)?).ok()?;
    if *bytes.get(4)? != VERSION || length < HEAD {
        return None;
    }
    let event = bytes.get(..length)?;
    let head = usize::from(u16::from_ne_bytes(event.get(6..8)?.try_into().ok()?));
    let mask = u64::from_ne_bytes(event.get(8..16)?.try_into().ok()?);
    let mut split = Split {
        lost: mask & libc::FAN_Q_OVERFLOW != 0,
        created: mask & (libc::FAN_CREATE | libc::FAN_MOVED_FROM | libc::FAN_MOVED_TO) != 0,
        // 0 is a process that this one does not see.
        pid: word(event, 20).filter(|pid| i32::try_from(*pid).is_ok_and(|pid| pid > 0)),
        ..Split::default()
    };
    let mut records = event.get(head..)?;
    while let Some((kind, record, rest)) = record(records) {
        match kind {
            libc::FAN_EVENT_INFO_TYPE_PIDFD => {
                let process = word(record, 4).map(|word| i32::from_ne_bytes(word.to_ne_bytes()));
                split.process = process.filter(|process| *process >= 0);
            }
            libc::FAN_EVENT_INFO_TYPE_DFID_NAME => {
                if let Some((place, name)) = place_and_name(record) {
                    (split.place, split.name) = (Some(place), name);
                }
            }
            _ => {}
        }
        records = rest;
    }
    Some((split, bytes.get(length..)?))
}

/// A record: its type, its bytes with the head, and what follows it.
fn record(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let kind = *bytes.first()?;
    let length = usize::from(u16::from_ne_bytes(bytes.get(2..4)?.try_into().ok()?));
    if length < 4 {
        return None;
    }
    Some((kind, bytes.get(..length)?, bytes.get(length..)?))
}

fn place_and_name(record: &[u8]) -> Option<(PlaceId, Vec<u8>)> {
    let file_system = u64::from(word(record, 4)?) | u64::from(word(record, 8)?) << 32;
    let length = usize::try_from(word(record, 12)?).ok()?;
    let kind = i32::from_ne_bytes(word(record, 16)?.to_ne_bytes());
    let handle = record.get(20..20_usize.checked_add(length)?)?.to_vec();
    let name = record.get(20 + length..)?.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
    Some((PlaceId { file_system, kind, handle }, name))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
