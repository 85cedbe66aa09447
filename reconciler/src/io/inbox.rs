//! What agents said and is not yet committed: a log that survives a crash.
//!
//! A message is acknowledged once it is in here; the log is emptied when the
//! status commit that holds its effects is durable. On disk: for each frame its
//! length (four bytes, little endian) and its bytes. A torn last frame was
//! never acknowledged and is dropped.
#![allow(clippy::disallowed_methods, reason = "this is the log's file")]

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

#[cfg(test)]
mod tests;

/// The log cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("inbox {path}")]
pub struct InboxError {
    path: PathBuf,
    source: std::io::Error,
}

/// The log.
#[derive(Debug)]
pub struct Inbox {
    path: PathBuf,
    file: File,
}

impl Inbox {
    /// Opens the log at `path` and reads the frames in it.
    ///
    /// # Errors
    /// When it cannot be opened or read.
    pub fn open(path: &Path) -> Result<(Self, Vec<Vec<u8>>), InboxError> {
        let error = |source| InboxError { path: path.to_owned(), source };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(error)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(error)?;
        let (frames, whole) = split_frames(&bytes);
        file.set_len(whole).and_then(|()| file.seek(SeekFrom::End(0))).map_err(error)?;
        file.sync_all().map_err(error)?;
        Ok((Inbox { path: path.to_owned(), file }, frames))
    }

    /// Adds frames, durably and at once.
    ///
    /// # Errors
    /// When they cannot be written; then none may be acknowledged.
    pub fn append<'a>(&mut self, frames: impl IntoIterator<Item = &'a [u8]>) -> Result<(), InboxError> {
        let mut bytes = Vec::new();
        for frame in frames {
            let length = u32::try_from(frame.len()).map_err(|_| self.error(std::io::ErrorKind::FileTooLarge.into()))?;
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(frame);
        }
        let written = self.file.write_all(&bytes).and_then(|()| self.file.sync_data());
        written.map_err(|source| self.error(source))
    }

    /// How many bytes the log has: what is to be kept by [`Inbox::drop_first`]
    /// is what comes after.
    ///
    /// # Errors
    /// When the file cannot be asked.
    pub fn size(&self) -> Result<u64, InboxError> {
        self.file.metadata().map(|metadata| metadata.len()).map_err(|source| self.error(source))
    }

    /// The frames in the first `bytes` bytes.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn first(&self, bytes: u64) -> Result<Vec<Vec<u8>>, InboxError> {
        let mut start = vec![0; usize::try_from(bytes).unwrap_or(usize::MAX)];
        self.file.read_exact_at(&mut start, 0).map_err(|source| self.error(source))?;
        Ok(split_frames(&start).0)
    }

    /// Forgets the first `bytes` bytes: their effects are committed.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn drop_first(&mut self, bytes: u64) -> Result<(), InboxError> {
        let file = self.copy_from(bytes).map_err(|source| self.error(source))?;
        self.file = file;
        Ok(())
    }

    /// Replaces the log by what comes after its first `bytes` bytes.
    fn copy_from(&mut self, bytes: u64) -> Result<File, std::io::Error> {
        let mut rest = Vec::new();
        self.file.seek(SeekFrom::Start(bytes))?;
        self.file.read_to_end(&mut rest)?;
        let new = self.path.with_extension("new");
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&new)?;
        file.write_all(&rest)?;
        file.sync_all()?;
        std::fs::rename(&new, &self.path)?;
        Ok(file)
    }

    fn error(&self, source: std::io::Error) -> InboxError {
        InboxError { path: self.path.clone(), source }
    }
}

/// The frames of a log that another process may be writing; none where it is missing.
///
/// # Errors
/// When it cannot be read.
pub fn load_inbox(path: &Path) -> Result<Vec<Vec<u8>>, InboxError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(split_frames(&bytes).0),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(InboxError { path: path.to_owned(), source }),
    }
}

/// The frames of a log, and how many bytes they take; what follows is a torn one.
fn split_frames(bytes: &[u8]) -> (Vec<Vec<u8>>, u64) {
    let mut frames = Vec::new();
    let mut rest = bytes;
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*length) as usize;
        let Some(frame) = after.get(..length) else { break };
        frames.push(frame.to_vec());
        rest = after.get(length..).unwrap_or_default();
    }
    (frames, (bytes.len() - rest.len()) as u64)
}
