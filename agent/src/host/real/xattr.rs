//! Extended attributes: access control lists, labels, and what people put there.

use super::tree::{Tree, look};
use crate::host::{FileKind, HostError, HostPath, NewXattr};
use rustix::fs::{Mode, OFlags, XattrFlags};
use rustix::io::Errno;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};

const ACCESS_ACL: &str = "system.posix_acl_access";
/// Not carried over: the kernel too drops capabilities when content changes.
const CAPABILITY: &str = "security.capability";
/// The longest value, and the longest list of names: the kernel's limit.
const MAX_BYTES: usize = 64 << 10;

pub(super) fn read_xattr(file: &OwnedFd, path: &HostPath, name: &str) -> Result<Option<Vec<u8>>, HostError> {
    let mut value = vec![0; MAX_BYTES];
    match rustix::fs::fgetxattr(file, name, value.as_mut_slice()) {
        Ok(length) => {
            value.truncate(length);
            Ok(Some(value))
        }
        Err(Errno::NODATA) => Ok(None),
        Err(Errno::NOTSUP) => Err(HostError::NoXattr { path: path.to_string(), name: name.to_owned() }),
        Err(errno) => Err(HostError::io("read", path, errno)),
    }
}

pub(super) fn set_xattrs(tree: &Tree, path: &HostPath, new: &[NewXattr]) -> Result<(), HostError> {
    let folder = tree.parent(path)?;
    let refused = |errno: Errno| HostError::io("change", path, errno);
    match look(&folder, path.name()).map_err(refused)? {
        Some(meta) if meta.kind != FileKind::File => {
            return Err(HostError::Kind { path: path.to_string(), expected: FileKind::File, found: meta.kind });
        }
        _ => {}
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::openat(&folder, path.name(), flags, Mode::empty()).map_err(refused)?);
    // Looked at again on what was opened: a second name may have come since.
    if rustix::fs::fstat(&file).map_err(refused)?.st_nlink > 1 {
        return Err(HostError::SeveralNames(path.to_string()));
    }
    put_xattrs(&file, path, new)?;
    rustix::fs::fsync(&file).map_err(refused)
}

/// Sets and removes what is named, in order.
pub(super) fn put_xattrs(file: &File, path: &HostPath, new: &[NewXattr]) -> Result<(), HostError> {
    for one in new {
        let done = match &one.value {
            Some(value) => rustix::fs::fsetxattr(file, one.name.as_str(), value, XattrFlags::empty()),
            None => rustix::fs::fremovexattr(file, one.name.as_str()),
        };
        match done {
            Err(Errno::NODATA) if one.value.is_none() => {}
            Err(Errno::NOTSUP) => {
                return Err(HostError::NoXattr { path: path.to_string(), name: one.name.clone() });
            }
            other => other.map_err(|errno| HostError::io("change", path, errno))?,
        }
    }
    Ok(())
}

/// Gives a new file what the old one has.
pub(super) fn carry_xattrs(old: &OwnedFd, new: &File) -> Result<(), Errno> {
    let names = match list_xattrs(old) {
        Ok(names) => names,
        Err(Errno::NOTSUP) => return Ok(()),
        Err(errno) => return Err(errno),
    };
    for name in names.iter().filter(|name| *name != CAPABILITY) {
        let mut value = vec![0; MAX_BYTES];
        let length = rustix::fs::fgetxattr(old, name.as_str(), value.as_mut_slice())?;
        let value = value.get(..length).unwrap_or_default();
        match rustix::fs::fsetxattr(new, name.as_str(), value, XattrFlags::empty()) {
            // A label that the policy sets, or a name space of root's: the file has what the system gives it.
            Err(Errno::PERM | Errno::ACCESS | Errno::NOTSUP) if !name.starts_with("user.") && name != ACCESS_ACL => {}
            other => other?,
        }
    }
    // A default list of the folder must not add what the old file did not have.
    if !names.iter().any(|name| name == ACCESS_ACL) && list_xattrs(new)?.iter().any(|name| name == ACCESS_ACL) {
        rustix::fs::fremovexattr(new, ACCESS_ACL)?;
    }
    Ok(())
}

fn list_xattrs(file: impl AsFd) -> Result<Vec<String>, Errno> {
    let mut names = vec![0; MAX_BYTES];
    let length = rustix::fs::flistxattr(file, names.as_mut_slice())?;
    let names = names.get(..length).unwrap_or_default();
    Ok(names
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect())
}
