//! Access control lists as the kernel keeps them in `system.posix_acl_access`.
//!
//! The form is that of `include/uapi/linux/posix_acl_xattr.h`: a version, then entries of a tag, permissions and a
//! number, all little-endian, in the order of the tags. What the tags mean stands in acl(5).

use super::ResourceError;
use crate::host::Accounts;
use muster_schema::resource::{AclEntry, AclWho};

/// The extended attribute that holds a file's list.
pub(super) const ACCESS_ACL: &str = "system.posix_acl_access";

#[cfg(test)]
mod tests;

const VERSION: u32 = 2;
const USER_OBJ: u16 = 0x01;
const USER: u16 = 0x02;
const GROUP_OBJ: u16 = 0x04;
const GROUP: u16 = 0x08;
const MASK: u16 = 0x10;
const OTHER: u16 = 0x20;
/// The number of entries that need none.
const NO_ID: u32 = u32::MAX;
const ENTRY_BYTES: usize = 8;

/// One entry as the kernel has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct RawEntry {
    tag: u16,
    id: u32,
    bits: u16,
}

/// The value to set, for a file of these permission bits. `owning_group` is what its group has now, where a list says
/// so: with a list, the group's bits of the mode are the mask.
///
/// # Errors
/// `Blocked` when a user or group is missing.
pub(super) fn encode_acl(
    entries: &[AclEntry],
    mode: u32,
    owning_group: Option<u16>,
    accounts: &Accounts,
) -> Result<Vec<u8>, ResourceError> {
    let bits_at = |shift: u32| u16::try_from(mode >> shift & 7).unwrap_or(0);
    let base = |tag, bits| RawEntry { tag, id: NO_ID, bits };
    let mut group = owning_group.unwrap_or_else(|| bits_at(3));
    let mut raw = vec![base(USER_OBJ, bits_at(6)), base(MASK, bits_at(3)), base(OTHER, bits_at(0))];
    for entry in entries {
        let missing = |kind: &str, name: &str| ResourceError::Blocked(format!("there is no {kind} {name}"));
        let (tag, id) = match &entry.who {
            AclWho::OwningGroup => {
                group = entry.bits;
                continue;
            }
            AclWho::User(name) => (USER, accounts.uid(name).ok_or_else(|| missing("user", name))?),
            AclWho::Group(name) => (GROUP, accounts.gid(name).ok_or_else(|| missing("group", name))?),
        };
        raw.push(RawEntry { tag, id, bits: entry.bits });
    }
    raw.push(base(GROUP_OBJ, group));
    raw.sort_unstable();
    let mut bytes = VERSION.to_le_bytes().to_vec();
    for RawEntry { tag, id, bits } in raw {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(bits.to_le_bytes());
        bytes.extend(id.to_le_bytes());
    }
    Ok(bytes)
}

/// The entries that a list has beside the permission bits, in the form in which `asked` names people: by name or by
/// number. The owning group stands there only where `asked` has it.
///
/// # Errors
/// When the value is of another form.
pub(super) fn decode_acl(value: &[u8], asked: &[AclEntry], accounts: &Accounts) -> Result<Vec<String>, ResourceError> {
    let by_number = |who: &AclWho| asked.iter().any(|entry| entry.who == *who);
    let entries = parse(value)?.into_iter().filter_map(|RawEntry { tag, id, bits }| {
        let who = match tag {
            USER => Some(AclWho::User(id.to_string()))
                .filter(by_number)
                .unwrap_or_else(|| AclWho::User(accounts.user_name(id))),
            GROUP => Some(AclWho::Group(id.to_string()))
                .filter(by_number)
                .unwrap_or_else(|| AclWho::Group(accounts.group_name(id))),
            GROUP_OBJ => Some(AclWho::OwningGroup).filter(by_number)?,
            _ => return None,
        };
        Some(AclEntry { who, bits }.to_string())
    });
    Ok(entries.collect())
}

/// What the owning group has, by a list.
pub(super) fn owning_group(value: &[u8]) -> Result<Option<u16>, ResourceError> {
    Ok(parse(value)?.into_iter().find(|entry| entry.tag == GROUP_OBJ).map(|entry| entry.bits))
}

fn parse(value: &[u8]) -> Result<Vec<RawEntry>, ResourceError> {
    let strange = || ResourceError::Failed("its access control list is of an unknown form".to_owned());
    let (version, entries) = value.split_first_chunk().ok_or_else(strange)?;
    if u32::from_le_bytes(*version) != VERSION || entries.len() % ENTRY_BYTES != 0 {
        return Err(strange());
    }
    let read = |entry: &[u8]| match *entry {
        [tag0, tag1, bits0, bits1, id0, id1, id2, id3] => Some(RawEntry {
            tag: u16::from_le_bytes([tag0, tag1]),
            id: u32::from_le_bytes([id0, id1, id2, id3]),
            bits: u16::from_le_bytes([bits0, bits1]),
        }),
        _ => None,
    };
    entries.chunks(ENTRY_BYTES).map(|entry| read(entry).ok_or_else(strange)).collect()
}
