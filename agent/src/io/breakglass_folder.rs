//! The folder of a break-glass bundle. Nothing in it is believed: files are read as far as a cap goes, and verified by
//! others.

use crate::verify::{Reject, RejectCode};
use muster_schema::PublicKey;
use muster_schema::envelope::{MAX_SIGNATURE_BYTES, Signature};
use rustix::fs::{FileType, Mode, OFlags};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A folder that a bundle is read from.
#[derive(Debug)]
pub struct BreakGlassFolder {
    path: PathBuf,
}

impl BreakGlassFolder {
    /// The one at `path`; nothing is looked at yet.
    pub fn new(path: PathBuf) -> BreakGlassFolder {
        BreakGlassFolder { path }
    }

    /// The file `name`, of at most `cap` bytes; one that is longer is cut one byte later, so that it is seen.
    ///
    /// # Errors
    /// `BreakGlassFolder` where it is missing or cannot be read.
    pub fn read(&self, name: &str, cap: usize) -> Result<Vec<u8>, Reject> {
        match self.look(name, cap)? {
            Some(bytes) => Ok(bytes),
            None => Err(self.refuse(name, &io::Error::from(io::ErrorKind::NotFound))),
        }
    }

    /// As [`BreakGlassFolder::read`]; none where there is no such file.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn look(&self, name: &str, cap: usize) -> Result<Option<Vec<u8>>, Reject> {
        match read_file(&self.path.join(name), cap) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.refuse(name, &error)),
        }
    }

    /// The signatures of `name` by these keys, as far as there are any.
    ///
    /// # Errors
    /// When one is there and cannot be read.
    pub fn signatures<'k>(
        &self,
        name: &str,
        keys: impl IntoIterator<Item = &'k PublicKey>,
    ) -> Result<Vec<Signature>, Reject> {
        let mut signatures = Vec::new();
        for key in keys {
            let text = self.look(&format!("{name}.{}.minisig", key.id()), MAX_SIGNATURE_BYTES)?;
            signatures.extend(text.and_then(|text| Signature::load(&text).ok()));
        }
        Ok(signatures)
    }

    fn refuse(&self, name: &str, error: &io::Error) -> Reject {
        Reject::new(RejectCode::BreakGlassFolder, format_args!("{}: {error}", self.path.join(name).display()))
    }
}

/// Reads a plain file. One that is none (a pipe, a device) is refused and not waited for.
fn read_file(path: &Path, cap: usize) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty())?;
    if FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) != FileType::RegularFile {
        return Err(io::Error::other("it is no plain file"));
    }
    let mut bytes = Vec::new();
    File::from(file).take(cap as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
