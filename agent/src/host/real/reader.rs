//! One pass of reading. A sweep over thousands of files costs four system calls a file, as a plain loop in C does.

use super::tree::{Tree, look, meta_of};
use crate::host::{FileKind, HostError, HostPath, Meta, Reader};
use muster_schema::content::{BlobRef, ContentDigest};
use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use std::io::Write;
use std::os::fd::OwnedFd;

const BUFFER: usize = 64 << 10;

pub(super) struct RealReader<'t> {
    tree: &'t Tree,
    /// The folder that was read last: neighbours come one after the other in a sweep.
    folder: Option<(HostPath, Option<OwnedFd>)>,
    buffer: Vec<u8>,
}

impl<'t> RealReader<'t> {
    pub(super) fn new(tree: &'t Tree) -> RealReader<'t> {
        RealReader { tree, folder: None, buffer: Vec::new() }
    }

    /// Makes `self.folder` the one that holds `path`. `false` when there is none.
    fn enter(&mut self, path: &HostPath) -> Result<bool, HostError> {
        let parent = path.as_str().rsplit_once('/').map_or("", |(parent, _)| parent);
        let parent = if parent.is_empty() { "/" } else { parent };
        if self.folder.as_ref().is_none_or(|(open, _)| open.as_str() != parent) {
            let parent = path.parent().unwrap_or_else(|| path.clone());
            let folder = self.tree.folder(&parent, OFlags::PATH)?;
            self.folder = Some((parent, folder));
        }
        Ok(self.open_folder().is_some())
    }

    fn open_folder(&self) -> Option<&OwnedFd> {
        self.folder.as_ref().and_then(|(_, folder)| folder.as_ref())
    }

    /// Reads a regular file in the folder that was entered. `expected` bytes end it without another look.
    fn read(
        &mut self,
        path: &HostPath,
        expected: u64,
        take: &mut dyn FnMut(&[u8]) -> std::io::Result<()>,
    ) -> Result<(), HostError> {
        let refused = |errno: Errno| HostError::io("read", path, errno);
        // Non-blocking, in case a FIFO took the file's place since.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let folder = self.open_folder().ok_or(Errno::NOENT).map_err(refused)?;
        let file = rustix::fs::openat(folder, path.name(), flags, Mode::empty()).map_err(refused)?;
        self.buffer.resize(BUFFER, 0);
        let mut total = 0;
        loop {
            let count = match rustix::io::read(&file, self.buffer.as_mut_slice()) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(refused(errno)),
            };
            take(self.buffer.get(..count).unwrap_or_default()).map_err(|source| HostError::io("copy", path, source))?;
            total += count as u64;
            if total == expected && count < BUFFER {
                return Ok(());
            }
        }
    }

    fn expect(&mut self, path: &HostPath, expected: FileKind) -> Result<Meta, HostError> {
        match self.meta(path)? {
            Some(meta) if meta.kind == expected => Ok(meta),
            Some(meta) => Err(HostError::Kind { path: path.to_string(), expected, found: meta.kind }),
            None => Err(HostError::io("read", path, Errno::NOENT)),
        }
    }
}

impl Reader for RealReader<'_> {
    fn meta(&mut self, path: &HostPath) -> Result<Option<Meta>, HostError> {
        if path.parent().is_none() {
            let root = self.tree.folder(path, OFlags::PATH)?;
            let stat = root.map(rustix::fs::fstat).transpose();
            return Ok(stat.map_err(|errno| HostError::io("read", path, errno))?.map(|stat| meta_of(&stat)));
        }
        if !self.enter(path)? {
            return Ok(None);
        }
        match self.open_folder() {
            Some(folder) => look(folder, path.name()).map_err(|errno| HostError::io("read", path, errno)),
            None => Ok(None),
        }
    }

    fn digest(&mut self, path: &HostPath) -> Result<Option<(Meta, Option<BlobRef>)>, HostError> {
        let Some(meta) = self.meta(path)? else { return Ok(None) };
        if meta.kind != FileKind::File {
            return Ok(Some((meta, None)));
        }
        let mut digest = ContentDigest::default();
        self.read(path, meta.size, &mut |bytes| {
            digest.add(bytes);
            Ok(())
        })?;
        Ok(Some((meta, Some(digest.finish()))))
    }

    fn copy(&mut self, path: &HostPath, to: &mut dyn Write) -> Result<BlobRef, HostError> {
        let meta = self.expect(path, FileKind::File)?;
        let mut digest = ContentDigest::default();
        self.read(path, meta.size, &mut |bytes| {
            digest.add(bytes);
            to.write_all(bytes)
        })?;
        Ok(digest.finish())
    }

    fn link_target(&mut self, path: &HostPath) -> Result<String, HostError> {
        self.expect(path, FileKind::Link)?;
        let refused = |errno: Errno| HostError::io("read", path, errno);
        let folder = self.open_folder().ok_or(Errno::NOENT).map_err(refused)?;
        let target = rustix::fs::readlinkat(folder, path.name(), Vec::new()).map_err(refused)?;
        target.into_string().map_err(|_| HostError::NotText(path.to_string()))
    }

    fn xattr(&mut self, path: &HostPath, name: &str) -> Result<Option<Vec<u8>>, HostError> {
        let refused = |errno: Errno| HostError::io("read", path, errno);
        self.enter(path)?;
        let folder = self.open_folder().ok_or(Errno::NOENT).map_err(refused)?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = rustix::fs::openat(folder, path.name(), flags, Mode::empty()).map_err(refused)?;
        super::xattr::read_xattr(&file, path, name)
    }

    fn is_mount_point(&mut self, path: &HostPath) -> Result<bool, HostError> {
        let parent = path.parent().unwrap_or_else(|| path.clone());
        let Some(folder) = self.tree.folder(&parent, OFlags::PATH)? else { return Ok(false) };
        // A step that would cross a mount is refused, a bind mount's too.
        let (flags, stay) = (OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, ResolveFlags::NO_XDEV);
        match rustix::fs::openat2(&folder, path.name(), flags, Mode::empty(), stay) {
            Ok(_) | Err(Errno::NOENT) => Ok(false),
            Err(Errno::XDEV) => Ok(true),
            Err(errno) => Err(HostError::io("read", path, errno)),
        }
    }

    fn list(&mut self, path: &HostPath) -> Result<Vec<String>, HostError> {
        let refused = |errno: Errno| HostError::io("list", path, errno);
        let folder = self.tree.folder(path, OFlags::RDONLY)?.ok_or(Errno::NOENT).map_err(refused)?;
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::new(folder).map_err(refused)? {
            let entry = entry.map_err(refused)?;
            let name = entry.file_name().to_str().map_err(|_| HostError::NotText(path.to_string()))?;
            if name != "." && name != ".." {
                names.push(name.to_owned());
            }
        }
        names.sort_unstable();
        Ok(names)
    }
}
