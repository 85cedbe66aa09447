//! A disk of a test's own, whose power can be cut.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A file system in a file. A copy of that file is what a power cut leaves.
pub(crate) struct Disk {
    image: PathBuf,
    mounted: PathBuf,
}

impl Disk {
    pub(crate) fn mount(image: &Path, at: &Path) -> Option<Disk> {
        std::fs::create_dir_all(at).unwrap();
        let mounted = run("mount", &["-o", "loop", image.to_str()?, at.to_str()?]);
        mounted.then(|| Disk { image: image.to_owned(), mounted: at.to_owned() })
    }

    pub(crate) fn image(&self) -> &Path {
        &self.image
    }

    /// Where it is mounted.
    pub(crate) fn path(&self) -> &Path {
        &self.mounted
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if !run("umount", &[self.mounted.to_str().unwrap()]) {
            run("umount", &["-l", self.mounted.to_str().unwrap()]);
        }
    }
}

fn run(program: &str, arguments: &[&str]) -> bool {
    let output = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    output.is_ok_and(|status| status.success())
}

/// A disk on ext4, where this machine can have one.
pub(crate) fn new_disk(dir: &Path) -> Option<Disk> {
    let image = dir.join("disk.img");
    let file = std::fs::File::create(&image).unwrap();
    file.set_len(48 << 20).unwrap();
    let made = rustix::process::geteuid().is_root() && run("mkfs.ext4", &["-q", image.to_str()?]);
    made.then(|| Disk::mount(&image, &dir.join("disk"))).flatten()
}
