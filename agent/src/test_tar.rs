//! Tar archives made entry by entry, also such that no tar would make.

#![allow(clippy::unwrap_used)]

use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use tar::{EntryType, Header};

/// An archive under way.
#[derive(Default)]
pub(crate) struct Tar(Vec<u8>);

impl Tar {
    /// Adds an entry with any name, as the header can hold it.
    pub(crate) fn entry(mut self, kind: EntryType, name: &[u8], link: &[u8], mode: u32, content: &[u8]) -> Tar {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link);
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(12345);
        header.set_gid(12345);
        header.set_mtime(0);
        header.set_size(content.len() as u64);
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub(crate) fn file(self, name: &str, mode: u32, content: &str) -> Tar {
        self.entry(EntryType::Regular, name.as_bytes(), b"", mode, content.as_bytes())
    }

    pub(crate) fn folder(self, name: &str, mode: u32) -> Tar {
        self.entry(EntryType::Directory, name.as_bytes(), b"", mode, b"")
    }

    pub(crate) fn link(self, name: &str, target: &str) -> Tar {
        self.entry(EntryType::Symlink, name.as_bytes(), target.as_bytes(), 0o777, b"")
    }

    pub(crate) fn bytes(mut self) -> Vec<u8> {
        self.0.extend_from_slice(&[0; 1024]);
        self.0
    }

    pub(crate) fn gzip(self) -> Vec<u8> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&self.bytes()).unwrap();
        gzip.finish().unwrap()
    }
}
