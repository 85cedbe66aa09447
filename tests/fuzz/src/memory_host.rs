//! A host in memory that can be read.

use std::collections::BTreeMap;
use std::io::Write;

use muster_agent::host::{FileKind, HostError, HostPath, Meta, Reader};
use muster_schema::content::BlobRef;

/// Files by path.
pub(crate) struct MemoryHost(pub(crate) BTreeMap<&'static str, Vec<u8>>);

impl Reader for MemoryHost {
    fn meta(&mut self, path: &HostPath) -> Result<Option<Meta>, HostError> {
        let meta = |bytes: &Vec<u8>| Meta {
            kind: FileKind::File,
            mode: 0o644,
            uid: 0,
            gid: 0,
            size: bytes.len() as u64,
            names: 1,
        };
        Ok(self.0.get(path.as_str()).map(meta))
    }

    fn digest(&mut self, path: &HostPath) -> Result<Option<(Meta, Option<BlobRef>)>, HostError> {
        let content = self.0.get(path.as_str()).map(|bytes| BlobRef::of(bytes));
        Ok(self.meta(path)?.map(|meta| (meta, content)))
    }

    fn copy(&mut self, path: &HostPath, to: &mut dyn Write) -> Result<BlobRef, HostError> {
        let Some(bytes) = self.0.get(path.as_str()) else { return Err(HostError::NotText(path.to_string())) };
        // As a file is read: in pieces.
        for piece in bytes.chunks(100) {
            let error = |source| HostError::Io { action: "write", path: path.to_string(), source };
            to.write_all(piece).map_err(error)?;
        }
        Ok(BlobRef::of(bytes))
    }

    fn link_target(&mut self, path: &HostPath) -> Result<String, HostError> {
        Err(HostError::NotText(path.to_string()))
    }

    fn xattr(&mut self, _: &HostPath, _: &str) -> Result<Option<Vec<u8>>, HostError> {
        Ok(None)
    }

    fn is_mount_point(&mut self, _: &HostPath) -> Result<bool, HostError> {
        Ok(false)
    }

    fn list(&mut self, _: &HostPath) -> Result<Vec<String>, HostError> {
        Ok(Vec::new())
    }
}
