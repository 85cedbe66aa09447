//! Files with a secret for their owner alone.
#![allow(clippy::disallowed_methods, reason = "writes a secret file")]

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Writes a file that was not there, durably, with the mode 0600.
///
/// # Errors
/// When it is there, or cannot be written.
pub fn write_new_secret(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
