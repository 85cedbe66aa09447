//! What is to be written.

use super::HostPath;
use std::io::Read;

/// Mode, owner and group to set; what is `None` stays, or is the creator's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NewAttributes {
    /// Permission bits.
    pub mode: Option<u32>,
    /// The owner's number.
    pub uid: Option<u32>,
    /// The group's number.
    pub gid: Option<u32>,
}

/// A whole file to write.
pub struct FileWrite<'a> {
    /// Where to.
    pub path: HostPath,
    /// What. Read to its end.
    pub content: Box<dyn Read + 'a>,
    /// With which attributes. What is `None` is taken over from a file in place; of a new file the mode is 0644.
    pub new: NewAttributes,
}

/// A candidate beside its target.
#[derive(Debug)]
#[must_use = "a candidate is committed or discarded"]
pub struct Prepared {
    /// Where it is to go.
    pub target: HostPath,
    /// Where it lies now.
    pub candidate: HostPath,
}
