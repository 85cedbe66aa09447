//! Owner and mode of whole trees, which people may rearrange meanwhile.

use super::tree::Tree;
use super::writer::dress_in_place;
use crate::host::{HostError, HostPath, NewAttributes};
use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

pub(super) fn set_attributes_below(
    tree: &Tree,
    top: &HostPath,
    new: &[(String, NewAttributes)],
) -> Result<(), HostError> {
    if new.is_empty() {
        return Ok(());
    }
    let folder =
        tree.folder(top, OFlags::RDONLY)?.ok_or(Errno::NOENT).map_err(|errno| HostError::io("change", top, errno))?;
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    // Who owns a folder on the way could move a link into its place between the look and now, even one of root's.
    let stay = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV;
    let mut result = Ok(());
    for (relative, new) in new {
        let path = format!("{top}/{relative}");
        let set = match rustix::fs::openat2(&folder, relative.as_str(), flags, Mode::empty(), stay) {
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV) => continue,
            Err(errno) => Err(HostError::io("change", &path, errno)),
            Ok(thing) => match dress_in_place(&thing, &path, new) {
                Err(HostError::Kind { .. } | HostError::SeveralNames(_)) => continue,
                other => other,
            },
        };
        result = result.and(set);
    }
    rustix::fs::syncfs(&folder).map_err(|errno| HostError::io("change", top, errno))?;
    result
}
