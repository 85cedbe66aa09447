//! Changing files so that a reader sees the old or the new one, a power cut leaves one of them, and nothing is
//! written through a link, a hard link or a FIFO.

use super::tree::{Tree, look};
use super::xattr::{carry_xattrs, put_xattrs};
use crate::host::{
    FileKind, FileWrite, HostError, HostPath, Meta, NewAttributes, Prepared, candidate_name, is_candidate,
};
use rustix::fs::{AtFlags, Gid, Mode, OFlags, RenameFlags, Uid};
use rustix::io::Errno;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// Up to so many files are synced one by one; more of them share one `syncfs`.
const SYNCED_ONE_BY_ONE: usize = 3;
const NEW_FILE_MODE: u32 = 0o644;
/// What the name of a backup ends with, as editors have it: programs that read whole folders skip such names.
const BACKUP_END: &str = "~";

pub(super) fn prepare(tree: &Tree, mut write: FileWrite<'_>) -> Result<Prepared, HostError> {
    let target = write.path.clone();
    let folder = tree.parent(&target)?;
    let refused = |errno: Errno| HostError::io("write", &target, errno);
    let old = match look(&folder, target.name()).map_err(refused)? {
        Some(meta) if matches!(meta.kind, FileKind::Directory | FileKind::Special) => {
            return Err(HostError::Kind { path: target.to_string(), expected: FileKind::File, found: meta.kind });
        }
        Some(meta) if meta.kind == FileKind::File => Some(meta),
        _ => None,
    };
    let candidate = candidate_beside(&target).map_err(refused)?;
    let create = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(&folder, candidate.name(), create, Mode::RUSR | Mode::WUSR).map_err(refused)?;
    let prepared = Prepared { target: target.clone(), candidate, backup: write.backup && old.is_some() };
    let mut file = File::from(file);
    let written = std::io::copy(&mut write.content, &mut file)
        .map_err(|source| HostError::io("write", &target, source))
        .and_then(|_| dress(&folder, &file, old, &write));
    match written {
        Ok(()) => Ok(prepared),
        Err(error) => {
            discard(tree, &prepared);
            Err(error)
        }
    }
}

/// Gives the candidate its owner, what the old file carried beside content, and at last its mode.
fn dress(folder: &OwnedFd, file: &File, old: Option<Meta>, write: &FileWrite<'_>) -> Result<(), HostError> {
    let (target, new) = (&write.path, &write.new);
    let refused = |errno: Errno| HostError::io("write", target, errno);
    give(file, new.uid.or(old.map(|old| old.uid)), new.gid.or(old.map(|old| old.gid))).map_err(refused)?;
    if old.is_some() {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let found = rustix::fs::openat(folder, target.name(), flags, Mode::empty());
        found.and_then(|found| carry_xattrs(&found, file)).map_err(refused)?;
    }
    put_xattrs(file, target, &write.xattrs)?;
    let mode = new.mode.or(old.map(|old| old.mode)).unwrap_or(NEW_FILE_MODE);
    rustix::fs::fchmod(file, Mode::from_raw_mode(mode)).map_err(refused)
}

/// Changes the owner where it differs, so that an agent without root's rights may keep what it has.
fn give(file: impl AsFd, uid: Option<u32>, gid: Option<u32>) -> Result<(), Errno> {
    let stat = rustix::fs::fstat(&file)?;
    let uid = uid.filter(|uid| *uid != stat.st_uid).map(Uid::from_raw);
    let gid = gid.filter(|gid| *gid != stat.st_gid).map(Gid::from_raw);
    if uid.is_none() && gid.is_none() {
        return Ok(());
    }
    rustix::fs::chownat(&file, "", uid, gid, AtFlags::EMPTY_PATH)
}

pub(super) fn commit(tree: &Tree, prepared: Vec<Prepared>) -> Vec<Result<(), HostError>> {
    let mut folders = BTreeMap::new();
    for one in &prepared {
        if let Some(parent) = one.target.parent() {
            folders.entry(parent).or_insert_with(|| tree.parent(&one.target));
        }
    }
    let synced = sync_candidates(&prepared, &folders);
    let mut results: Vec<Result<(), HostError>> = Vec::with_capacity(prepared.len());
    for one in &prepared {
        let result = match (&synced, one.target.parent().and_then(|parent| folders.get(&parent))) {
            (Err(errno), _) => Err(HostError::io("sync", &one.target, *errno)),
            (Ok(()), Some(Ok(folder))) => {
                swap(folder, one).map_err(|errno| HostError::io("rename", &one.target, errno))
            }
            (Ok(()), _) => Err(HostError::io("open the folder of", &one.target, Errno::NOENT)),
        };
        if result.is_err() {
            discard(tree, one);
        }
        results.push(result);
    }
    for (path, folder) in &folders {
        let Ok(folder) = folder else { continue };
        if let Err(errno) = rustix::fs::fsync(folder) {
            for (one, result) in prepared.iter().zip(&mut results) {
                if result.is_ok() && one.target.parent().as_ref() == Some(path) {
                    *result = Err(HostError::io("sync", path, errno));
                }
            }
        }
    }
    results
}

fn sync_candidates(
    prepared: &[Prepared],
    folders: &BTreeMap<HostPath, Result<OwnedFd, HostError>>,
) -> Result<(), Errno> {
    let folder_of = |one: &Prepared| one.target.parent().and_then(|parent| folders.get(&parent)?.as_ref().ok());
    if prepared.len() <= SYNCED_ONE_BY_ONE {
        for one in prepared {
            let Some(folder) = folder_of(one) else { continue };
            let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let file = rustix::fs::openat(folder, one.candidate.name(), flags, Mode::empty());
            match file {
                Ok(file) => rustix::fs::fsync(&file)?,
                // Its mode forbids even its owner to open it.
                Err(Errno::ACCESS) => rustix::fs::syncfs(folder)?,
                Err(errno) => return Err(errno),
            }
        }
        return Ok(());
    }
    let mut devices = BTreeSet::new();
    for folder in folders.values().flatten() {
        if devices.insert(rustix::fs::fstat(folder)?.st_dev) {
            rustix::fs::syncfs(folder)?;
        }
    }
    Ok(())
}

fn swap(folder: &OwnedFd, one: &Prepared) -> Result<(), Errno> {
    if one.backup {
        keep_beside(folder, one)?;
    }
    match rustix::fs::renameat(folder, one.candidate.name(), folder, one.target.name()) {
        // A file that is itself a mount point, as containers have: its inode must stay.
        Err(Errno::BUSY) => overwrite(folder, one),
        other => other,
    }
}

/// Gives the file in place a second name, so that it stays as it is when the first is taken from it.
fn keep_beside(folder: &OwnedFd, one: &Prepared) -> Result<(), Errno> {
    let second = candidate_beside(&one.target)?;
    let backup = format!("{}{BACKUP_END}", one.target.name());
    match rustix::fs::linkat(folder, one.target.name(), folder, second.name(), AtFlags::empty()) {
        // Gone since, or mounted over: there is nothing that could stay.
        Err(Errno::NOENT | Errno::XDEV) => return Ok(()),
        linked => linked?,
    }
    rustix::fs::renameat(folder, second.name(), folder, backup.as_str()).inspect_err(|_| {
        let _ = rustix::fs::unlinkat(folder, second.name(), AtFlags::empty());
    })
}

/// Writes the candidate's content and attributes into the file in place.
fn overwrite(folder: &OwnedFd, one: &Prepared) -> Result<(), Errno> {
    let into_errno = |error: std::io::Error| Errno::from_io_error(&error).unwrap_or(Errno::IO);
    let read = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut from = File::from(rustix::fs::openat(folder, one.candidate.name(), read, Mode::empty())?);
    let write = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut to = File::from(rustix::fs::openat(folder, one.target.name(), write, Mode::empty())?);
    let stat = rustix::fs::fstat(&from)?;
    give(&to, Some(stat.st_uid), Some(stat.st_gid))?;
    let mut content = Vec::new();
    from.read_to_end(&mut content).map_err(into_errno)?;
    to.rewind().and_then(|()| to.write_all(&content)).map_err(into_errno)?;
    rustix::fs::ftruncate(&to, content.len() as u64)?;
    carry_xattrs(&OwnedFd::from(from), &to)?;
    rustix::fs::fchmod(&to, Mode::from_raw_mode(stat.st_mode & 0o7777))?;
    rustix::fs::fsync(&to)?;
    rustix::fs::unlinkat(folder, one.candidate.name(), AtFlags::empty())
}

pub(super) fn discard(tree: &Tree, prepared: &Prepared) {
    if let Ok(folder) = tree.parent(&prepared.target) {
        // What stays behind is removed by `remove_candidates`.
        let _ = rustix::fs::unlinkat(folder, prepared.candidate.name(), AtFlags::empty());
    }
}

pub(super) fn set_attributes(tree: &Tree, path: &HostPath, new: &NewAttributes) -> Result<(), HostError> {
    let folder = tree.parent(path)?;
    let refused = |errno: Errno| HostError::io("change", path, errno);
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let thing = rustix::fs::openat(&folder, path.name(), flags, Mode::empty()).map_err(refused)?;
    dress_in_place(&thing, path.as_str(), new)?;
    let read = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match rustix::fs::openat(&folder, path.name(), read, Mode::empty()) {
        Ok(thing) => rustix::fs::fsync(&thing),
        Err(_) => rustix::fs::syncfs(&folder),
    }
    .map_err(refused)
}

/// Sets owner and mode of what was opened. Not synced.
pub(super) fn dress_in_place(thing: &OwnedFd, path: &str, new: &NewAttributes) -> Result<(), HostError> {
    let refused = |errno: Errno| HostError::io("change", path, errno);
    let meta = super::tree::meta_of(&rustix::fs::fstat(thing).map_err(refused)?);
    match meta.kind {
        FileKind::File if meta.names > 1 => return Err(HostError::SeveralNames(path.to_string())),
        FileKind::File | FileKind::Directory => {}
        found => return Err(HostError::Kind { path: path.to_string(), expected: FileKind::File, found }),
    }
    give(thing, new.uid, new.gid).map_err(refused)?;
    // Changing the owner drops set-id bits, so the mode comes after it, and always where the owner changed.
    let mode = new.mode.unwrap_or(meta.mode);
    let handle = format!("/proc/self/fd/{}", thing.as_raw_fd());
    rustix::fs::chmod(handle, Mode::from_raw_mode(mode)).map_err(refused)
}

/// Made aside and renamed, so that it never stands there with other attributes than its own.
pub(super) fn make_directory(tree: &Tree, path: &HostPath, new: &NewAttributes) -> Result<(), HostError> {
    let folder = tree.parent(path)?;
    let refused = |errno: Errno| HostError::io("make", path, errno);
    let candidate = candidate_beside(path).map_err(refused)?;
    rustix::fs::mkdirat(&folder, candidate.name(), Mode::RWXU).map_err(refused)?;
    let made = set_attributes(tree, &candidate, new).and_then(|()| {
        let flags = RenameFlags::NOREPLACE;
        rustix::fs::renameat_with(&folder, candidate.name(), &folder, path.name(), flags)
            .and_then(|()| rustix::fs::fsync(&folder))
            .map_err(refused)
    });
    if made.is_err() {
        let _ = rustix::fs::unlinkat(&folder, candidate.name(), AtFlags::REMOVEDIR);
    }
    made
}

pub(super) fn make_link(tree: &Tree, path: &HostPath, target: &str) -> Result<(), HostError> {
    let folder = tree.parent(path)?;
    let refused = |errno: Errno| HostError::io("link", path, errno);
    if let Some(meta) = look(&folder, path.name()).map_err(refused)?
        && matches!(meta.kind, FileKind::Directory | FileKind::Special)
    {
        return Err(HostError::Kind { path: path.to_string(), expected: FileKind::Link, found: meta.kind });
    }
    let candidate = candidate_beside(path).map_err(refused)?;
    rustix::fs::symlinkat(target, &folder, candidate.name()).map_err(refused)?;
    rustix::fs::renameat(&folder, candidate.name(), &folder, path.name())
        .and_then(|()| rustix::fs::fsync(&folder))
        .map_err(|errno| {
            let _ = rustix::fs::unlinkat(&folder, candidate.name(), AtFlags::empty());
            refused(errno)
        })
}

pub(super) fn remove(tree: &Tree, path: &HostPath, kind: FileKind) -> Result<(), HostError> {
    let Some(parent) = path.parent() else { return Err(HostError::io("remove", path, Errno::BUSY)) };
    let Some(folder) = tree.folder(&parent, OFlags::RDONLY)? else { return Ok(()) };
    let refused = |errno: Errno| HostError::io("remove", path, errno);
    let Some(meta) = look(&folder, path.name()).map_err(refused)? else { return Ok(()) };
    if meta.kind != kind {
        return Err(HostError::Kind { path: path.to_string(), expected: kind, found: meta.kind });
    }
    let flags = if kind == FileKind::Directory { AtFlags::REMOVEDIR } else { AtFlags::empty() };
    match rustix::fs::unlinkat(&folder, path.name(), flags) {
        Err(Errno::NOTEMPTY | Errno::EXIST) => Err(HostError::NotEmpty(path.to_string())),
        other => other.and_then(|()| rustix::fs::fsync(&folder)).map_err(refused),
    }
}

pub(super) fn remove_candidates(tree: &Tree, path: &HostPath) -> Result<(), HostError> {
    let Some(folder) = tree.folder(path, OFlags::RDONLY)? else { return Ok(()) };
    let refused = |errno: Errno| HostError::io("clean", path, errno);
    for entry in rustix::fs::Dir::read_from(&folder).map_err(refused)? {
        let entry = entry.map_err(refused)?;
        if entry.file_name().to_str().is_ok_and(is_candidate) {
            let flags = if entry.file_type().is_dir() { AtFlags::REMOVEDIR } else { AtFlags::empty() };
            rustix::fs::unlinkat(&folder, entry.file_name(), flags).map_err(refused)?;
        }
    }
    Ok(())
}

fn candidate_beside(target: &HostPath) -> Result<HostPath, Errno> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|_| Errno::IO)?;
    let name = candidate_name(u64::from_ne_bytes(random));
    target.parent().and_then(|parent| parent.join(&name).ok()).ok_or(Errno::INVAL)
}
