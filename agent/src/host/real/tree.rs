//! Opening folders below a root, so that nobody can lead the agent elsewhere.

use crate::host::{FileKind, HostError, HostPath, Meta};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// As many links on one path as Linux follows.
const MAX_LINKS: usize = 40;

/// The tree that is managed.
pub(super) struct Tree {
    root: OwnedFd,
    own_uid: u32,
}

impl Tree {
    pub(super) fn open(root: &Path) -> Result<Tree, HostError> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(root, flags, Mode::empty())
            .map_err(|errno| HostError::io("open", root.display(), errno))?;
        Ok(Tree { root, own_uid: rustix::process::geteuid().as_raw() })
    }

    /// Opens the folder at `path`; `None` when it, or one on the way, is missing or no folder.
    pub(super) fn folder(&self, path: &HostPath, access: OFlags) -> Result<Option<OwnedFd>, HostError> {
        let flags = access | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_SYMLINKS;
        // No link on the way is the usual case and one system call. Kernels before 5.6 walk too.
        match rustix::fs::openat2(&self.root, path.relative(), flags, Mode::empty(), beneath) {
            Ok(folder) => Ok(Some(folder)),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(Errno::LOOP | Errno::NOSYS) => self.walk(path, flags),
            Err(errno) => Err(HostError::io("open", path, errno)),
        }
    }

    /// The folder that holds `path`, opened to change it.
    pub(super) fn parent(&self, path: &HostPath) -> Result<OwnedFd, HostError> {
        let parent = path.parent().ok_or_else(|| HostError::io("change", path, Errno::BUSY))?;
        self.folder(&parent, OFlags::RDONLY)?.ok_or_else(|| HostError::io("open", parent, Errno::NOENT))
    }

    /// Follows the path component by component, and links only when their owner is root or the agent: whoever else
    /// owns one could point it at any file of the host between two looks. Absolute targets start at the tree's root.
    fn walk(&self, path: &HostPath, flags: OFlags) -> Result<Option<OwnedFd>, HostError> {
        let refused = |errno: Errno| HostError::io("open", path, errno);
        let mut ahead: VecDeque<String> = path.relative().split('/').map(str::to_owned).collect();
        let mut behind: Vec<OwnedFd> = Vec::new();
        let mut links = 0;
        while let Some(name) = ahead.pop_front() {
            match name.as_str() {
                "" | "." => continue,
                ".." => {
                    behind.pop();
                    continue;
                }
                _ => {}
            }
            let here = behind.last().unwrap_or(&self.root);
            let step = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let next = match rustix::fs::openat(here, &name, step, Mode::empty()) {
                Ok(next) => next,
                Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
                Err(errno) => return Err(refused(errno)),
            };
            let stat = rustix::fs::fstat(&next).map_err(refused)?;
            if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
                behind.push(next);
                continue;
            }
            links += 1;
            if links > MAX_LINKS {
                return Err(refused(Errno::LOOP));
            }
            if stat.st_uid != 0 && stat.st_uid != self.own_uid {
                return Err(HostError::UntrustedLink(path.to_string()));
            }
            let target = rustix::fs::readlinkat(&next, "", Vec::new()).map_err(refused)?;
            let target = target.into_string().map_err(|_| HostError::NotText(path.to_string()))?;
            if target.starts_with('/') {
                behind.clear();
            }
            for part in target.split('/').rev() {
                ahead.push_front(part.to_owned());
            }
        }
        let here = behind.last().unwrap_or(&self.root);
        match rustix::fs::openat(here, ".", flags, Mode::empty()) {
            Ok(folder) => Ok(Some(folder)),
            Err(Errno::NOTDIR) => Ok(None),
            Err(errno) => Err(refused(errno)),
        }
    }
}

/// What stands at `name` in `folder`; a link itself, not what it points to.
pub(super) fn look(folder: impl AsFd, name: &str) -> Result<Option<Meta>, Errno> {
    match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(meta_of(&stat))),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(errno) => Err(errno),
    }
}

pub(super) fn meta_of(stat: &Stat) -> Meta {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Directory,
        FileType::Symlink => FileKind::Link,
        _ => FileKind::Special,
    };
    Meta {
        kind,
        mode: stat.st_mode & 0o7777,
        uid: stat.st_uid,
        gid: stat.st_gid,
        size: u64::try_from(stat.st_size).unwrap_or(0),
        #[allow(clippy::useless_conversion, reason = "32 bits wide on some architectures")]
        names: u64::from(stat.st_nlink),
    }
}
