//! A disk of a test's own, whose power can be cut.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A disk on ext4.
///
/// What a power cut leaves is a copy of the disk at one moment. A copy that is read bit by bit while the disk is
/// written is no such moment: the journal may have gone round between its first byte and its last. So the disk is a
/// file on XFS, where `cp --reflink` takes a file as it is, with all writers held up.
pub(crate) struct Disk {
    ext4: Mount,
    _xfs: Mount,
    image: PathBuf,
}

impl Disk {
    /// A new one in `dir`, where this machine can have one.
    pub(crate) fn new(dir: &Path) -> Option<Disk> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let pool = new_image(&dir.join("pool.img"), 512);
        run("mkfs.xfs", &["-q", pool.to_str()?]).then_some(())?;
        let xfs = Mount::new(&pool, &dir.join("pool"))?;
        let image = new_image(&dir.join("pool/disk.img"), 48);
        run("mkfs.ext4", &["-q", image.to_str()?]).then_some(())?;
        let ext4 = Mount::new(&image, &dir.join("disk"))?;
        Some(Disk { ext4, _xfs: xfs, image })
    }

    /// Where it is mounted.
    pub(crate) fn path(&self) -> &Path {
        &self.ext4.0
    }

    /// What would be there had the power gone now; the disk itself goes on.
    pub(crate) fn cut(&self) -> Mount {
        let copy = self.image.with_file_name("cut.img");
        assert!(run("cp", &["--reflink=always", self.image.to_str().unwrap(), copy.to_str().unwrap()]));
        Mount::new(&copy, &self.image.with_file_name("cut")).expect("the copy mounts")
    }
}

/// A file system in a file, mounted here.
pub(crate) struct Mount(PathBuf);

impl Mount {
    fn new(image: &Path, at: &Path) -> Option<Mount> {
        std::fs::create_dir_all(at).unwrap();
        run("mount", &["-o", "loop", image.to_str()?, at.to_str()?]).then(|| Mount(at.to_owned()))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        if !run("umount", &[self.0.to_str().unwrap()]) {
            run("umount", &["-l", self.0.to_str().unwrap()]);
        }
    }
}

/// An empty file of so many MiB.
fn new_image(path: &Path, mib: u64) -> PathBuf {
    std::fs::File::create(path).unwrap().set_len(mib << 20).unwrap();
    path.to_owned()
}

fn run(program: &str, arguments: &[&str]) -> bool {
    let output = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    output.is_ok_and(|status| status.success())
}
