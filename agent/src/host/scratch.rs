//! Room for what does not fit into memory.

#![allow(clippy::disallowed_methods)]

use std::fs::File;
use std::io;
use tempfile::TempDir;

/// Where large things may lie; `/tmp` may be memory.
const FOLDER: &str = "/var/tmp";

/// A file without a name, which nobody else can open. It is gone when it is closed.
///
/// # Errors
/// When the disk refuses.
pub fn scratch_file() -> io::Result<File> {
    tempfile::tempfile_in(FOLDER).or_else(|_| tempfile::tempfile())
}

/// A folder that nobody else can look into. It is removed when it is dropped.
///
/// # Errors
/// When the disk refuses.
pub fn scratch_folder() -> io::Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("muster-").tempdir_in(FOLDER);
    folder.or_else(|_| tempfile::tempdir())
}

/// Opens a file that a program has put into such a folder.
///
/// # Errors
/// When there is none.
pub fn open_scratch(folder: &TempDir, name: &str) -> io::Result<File> {
    File::open(folder.path().join(name))
}
