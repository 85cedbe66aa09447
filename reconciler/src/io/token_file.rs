//! The tokens of the API, in `tokens.json` of the data folder. Where the file is, tokens are asked for; one that
//! cannot be read lets nobody in.
#![allow(clippy::disallowed_methods, reason = "this is the tokens' file")]

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{FlockOperation, flock};

use crate::access::TokenList;

#[cfg(test)]
mod tests;

const NAME: &str = "tokens.json";
const LOCK: &str = "tokens.lock";
/// Some ten thousand tokens.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// The tokens cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("tokens {path}", path = path.display())]
pub struct TokenFileError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// Which file was read: another one has another mark.
type Mark = (u64, u64, i64, i64);

/// The file, read anew whenever it is another one.
#[derive(Debug)]
pub struct TokenFile {
    path: PathBuf,
    read: Mutex<Option<(Mark, Arc<TokenList>)>>,
}

impl TokenFile {
    /// The file in this data folder; it need not be there.
    pub fn new(data: &Path) -> TokenFile {
        TokenFile { path: data.join(NAME), read: Mutex::default() }
    }

    /// The tokens as they are now; `None` where there is no file.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn load(&self) -> Result<Option<Arc<TokenList>>, TokenFileError> {
        self.load_changed().map_err(|source| self.error(source))
    }

    fn load_changed(&self) -> io::Result<Option<Arc<TokenList>>> {
        let mark = match std::fs::symlink_metadata(&self.path) {
            Ok(meta) => mark_of(&meta),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, tokens)) = read.as_ref().filter(|(known, _)| *known == mark) {
            return Ok(Some(tokens.clone()));
        }
        *read = None;
        let (mark, tokens) = read_list(&self.path)?;
        let tokens = Arc::new(tokens);
        *read = Some((mark, tokens.clone()));
        Ok(Some(tokens))
    }

    /// Changes the tokens, durably, one who changes them after the other. The file belongs to who owns the folder.
    ///
    /// # Errors
    /// When the file cannot be read or written, or `change` fails; then all is as before.
    pub fn change<T, E: From<TokenFileError>>(
        &self,
        change: impl FnOnce(&mut TokenList) -> Result<T, E>,
    ) -> Result<T, E> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(|source| self.error(source))?;
        let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(folder.join(LOCK));
        let lock = lock.map_err(|source| self.error(source))?;
        flock(&lock, FlockOperation::LockExclusive).map_err(|error| self.error(error.into()))?;
        let mut tokens = self.load()?.map(|tokens| TokenList::clone(&tokens)).unwrap_or_default();
        let answer = change(&mut tokens)?;
        write(folder, &self.path, &tokens).map_err(|source| self.error(source))?;
        Ok(answer)
    }

    fn error(&self, source: io::Error) -> TokenFileError {
        TokenFileError { path: self.path.clone(), source }
    }
}

fn mark_of(meta: &std::fs::Metadata) -> Mark {
    (meta.ino(), meta.size(), meta.mtime(), meta.mtime_nsec())
}

fn read_list(path: &Path) -> io::Result<(Mark, TokenList)> {
    let file = File::open(path)?;
    let mark = mark_of(&file.metadata()?);
    let mut text = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut text)?;
    Ok((mark, serde_json::from_slice(&text)?))
}

fn write(folder: &Path, path: &Path, tokens: &TokenList) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.as_file().set_permissions(Permissions::from_mode(0o600))?;
    let owner = std::fs::metadata(folder)?;
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::fchown(file.as_file(), Some(owner.uid()), Some(owner.gid()))?;
    }
    serde_json::to_writer_pretty(&mut file, tokens)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}
