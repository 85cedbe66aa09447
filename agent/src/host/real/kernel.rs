//! Telling the running kernel. Nothing of it is on a disk.

use super::tree::Tree;
use crate::host::{HostError, HostPath};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

/// Below it the kernel keeps its parameters.
const PARAMETERS: &str = "/proc/sys/";

/// Writes a parameter in one piece, as the kernel wants it.
pub(super) fn set_parameter(tree: &Tree, path: &HostPath, value: &str) -> Result<(), HostError> {
    let refused = |errno: Errno| HostError::io("set", path, errno);
    if !path.as_str().starts_with(PARAMETERS) {
        return Err(refused(Errno::PERM));
    }
    let folder = tree.parent(path)?;
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(&folder, path.name(), flags, Mode::empty()).map_err(refused)?;
    let written = rustix::io::write(&file, value.as_bytes()).map_err(refused)?;
    if written == value.len() { Ok(()) } else { Err(refused(Errno::INVAL)) }
}

/// Gives the host its name.
pub(super) fn set_host_name(name: &str) -> Result<(), HostError> {
    rustix::system::sethostname(name.as_bytes()).map_err(|errno| HostError::io("set", "the name of the host", errno))
}
