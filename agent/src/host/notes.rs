//! What taking a change back needs to know of how it was made, and what the host itself does not tell: the packages
//! that a package brought, how a user was before it was locked. Plain files, durable before the change is made.

#![allow(clippy::disallowed_methods)]

use muster_schema::{Address, Sha256Digest};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

#[cfg(test)]
mod tests;

/// A folder with a note for each address that needs one.
#[derive(Debug)]
pub struct Notes {
    folder: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct NoteFile<A, N> {
    address: A,
    note: N,
}

impl Notes {
    /// Opens the notes in `folder`, or makes it.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: &Path) -> io::Result<Notes> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        Ok(Notes { folder: folder.to_owned() })
    }

    /// The notes in `folder`, to be read only: nothing is made.
    pub fn look(folder: &Path) -> Notes {
        Notes { folder: folder.to_owned() }
    }

    /// The note about an address. One that is damaged is none.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn load<N: DeserializeOwned>(&self, address: &Address) -> io::Result<Option<N>> {
        match std::fs::read(self.path(address)) {
            Ok(bytes) => {
                let file: Option<NoteFile<Address, N>> = serde_json::from_slice(&bytes).ok();
                Ok(file.filter(|file| file.address == *address).map(|file| file.note))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a note down; it survives a power cut when this returns.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn save<N: Serialize>(&self, address: &Address, note: &N) -> io::Result<()> {
        let path = self.path(address);
        let fresh = path.with_extension("new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(&serde_json::to_vec(&NoteFile { address, note })?)?;
        file.sync_all()?;
        std::fs::rename(&fresh, &path)?;
        self.sync()
    }

    /// Removes the note about an address, if there is one.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn forget(&self, address: &Address) -> io::Result<()> {
        match std::fs::remove_file(self.path(address)) {
            Ok(()) => self.sync(),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }

    /// Addresses may be longer than names of files.
    fn path(&self, address: &Address) -> PathBuf {
        let digest = Sha256Digest::of(address.to_string().as_bytes()).to_string();
        self.folder.join(format!("{}.json", digest.get(..32).unwrap_or(&digest)))
    }
}
