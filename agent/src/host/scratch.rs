//! Room for what does not fit into memory.

#![allow(clippy::disallowed_methods)]

use std::fs::File;
use std::io;

/// Where large things may lie; `/tmp` may be memory.
const FOLDER: &str = "/var/tmp";

/// A file without a name, which nobody else can open. It is gone when it is closed.
///
/// # Errors
/// When the disk refuses.
pub fn scratch_file() -> io::Result<File> {
    tempfile::tempfile_in(FOLDER).or_else(|_| tempfile::tempfile())
}
