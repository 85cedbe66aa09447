//! Where watches are to be, so that nothing happens to some paths unseen.

use crate::host::HostPath;
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, StatxAttributes, StatxFlags};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// So many folders below a purged one are watched. What happens deeper in larger trees, the next sweep finds.
const MAX_BELOW: usize = 256;

/// The folders of these paths, or the nearest ones above that are there.
pub(super) fn nearest_folders<'p>(root: &Path, paths: impl Iterator<Item = &'p HostPath>) -> BTreeSet<PathBuf> {
    let folders: BTreeSet<HostPath> = paths.filter_map(HostPath::parent).collect();
    folders.into_iter().filter_map(|folder| nearest_folder(root, folder)).collect()
}

/// All folders above these, up to `root`.
pub(super) fn folders_above(root: &Path, folders: &BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
    let mut above = BTreeSet::new();
    for folder in folders {
        let parents = folder.ancestors().skip(1).take_while(|parent| parent.starts_with(root));
        for parent in parents {
            if !folders.contains(parent) && !above.insert(parent.to_owned()) {
                break;
            }
        }
    }
    above
}

/// Those of these paths on which something is mounted.
pub(super) fn mount_points<'p>(root: &Path, paths: impl Iterator<Item = &'p HostPath>) -> BTreeSet<PathBuf> {
    paths.map(|path| root.join(path.relative())).filter(|path| is_mount_point(path)).collect()
}

/// All folders below the purged ones, up to [`MAX_BELOW`] of each. Neither links nor mounts are entered: a purge does
/// not either.
pub(super) fn folders_below<'p>(root: &Path, purged: impl Iterator<Item = &'p HostPath>) -> Vec<PathBuf> {
    let tops: BTreeSet<PathBuf> = purged.filter_map(HostPath::parent).map(|top| root.join(top.relative())).collect();
    let mut all = Vec::new();
    for top in tops {
        let mut below: Vec<PathBuf> = folders_in(&top);
        let mut next = 0;
        while next < below.len() && below.len() < MAX_BELOW {
            let deeper = below.get(next).map(|folder| folders_in(folder)).unwrap_or_default();
            below.extend(deeper);
            next += 1;
        }
        below.truncate(MAX_BELOW);
        all.append(&mut below);
    }
    all
}

fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let Ok(entries) = rustix::fs::open(folder, flags, Mode::empty()).and_then(Dir::new) else { return Vec::new() };
    let path = |entry: rustix::fs::DirEntry| {
        let name = entry.file_name().to_bytes();
        let other = entry.file_type() != FileType::Directory || matches!(name, b"." | b"..");
        let path = folder.join(OsStr::from_bytes(name));
        (!other && !is_mount_point(&path)).then_some(path)
    };
    entries.filter_map(Result::ok).filter_map(path).collect()
}

fn is_mount_point(path: &Path) -> bool {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
    let statx = rustix::fs::statx(CWD, path, flags, StatxFlags::empty());
    statx.is_ok_and(|found| found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

fn nearest_folder(root: &Path, mut folder: HostPath) -> Option<PathBuf> {
    loop {
        let real = root.join(folder.relative());
        if is_folder(&real) {
            return Some(if folder.parent().is_none() { root.to_owned() } else { real });
        }
        folder = folder.parent()?;
    }
}

fn is_folder(path: &Path) -> bool {
    rustix::fs::stat(path).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
}
