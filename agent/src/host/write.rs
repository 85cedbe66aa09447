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

/// An extended attribute to set, or to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewXattr {
    /// Its name with its name space, as in xattr(7).
    pub name: String,
    /// Its value; `None` removes it.
    pub value: Option<Vec<u8>>,
}

/// A whole file to write.
pub struct FileWrite<'a> {
    /// Where to.
    pub path: HostPath,
    /// What. Read to its end.
    pub content: Box<dyn Read + 'a>,
    /// With which attributes. What is `None` is taken over from a file in place; of a new file the mode is 0644.
    pub new: NewAttributes,
    /// Extended attributes; those that are not named are taken over.
    pub xattrs: Vec<NewXattr>,
    /// Whether the file in place stays beside it as `NAME~`.
    pub backup: bool,
}

impl<'a> FileWrite<'a> {
    /// A write of `content` with these attributes, and nothing else.
    pub fn new(path: HostPath, content: Box<dyn Read + 'a>, new: NewAttributes) -> FileWrite<'a> {
        FileWrite { path, content, new, xattrs: Vec::new(), backup: false }
    }
}

/// A candidate beside its target.
#[derive(Debug)]
#[must_use = "a candidate is committed or discarded"]
pub struct Prepared {
    /// Where it is to go.
    pub target: HostPath,
    /// Where it lies now.
    pub candidate: HostPath,
    /// Whether the file in place stays beside it.
    pub backup: bool,
}
