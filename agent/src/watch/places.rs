//! Where watches are to be, so that nothing happens to some paths unseen.

use crate::host::HostPath;
use rustix::fs::{AtFlags, CWD, FileType, StatxAttributes, StatxFlags};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

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
