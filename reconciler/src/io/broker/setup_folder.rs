//! The folder in which `muster broker setup` keeps passwords, and writes what the broker is to read.
#![allow(clippy::disallowed_methods, reason = "these are the files of the setup")]

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Only its owner reads it.
#[derive(Debug)]
pub struct SetupFolder {
    path: PathBuf,
}

/// A file of the setup cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SetupFolderError {
    /// The system refused.
    #[error("{path}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It holds something else than a password.
    #[error("{path} holds no password that muster made\n  hint: remove it to have a new one", path = path.display())]
    NoPassword {
        /// The file.
        path: PathBuf,
    },
    /// There is no chance to be had.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
}

/// Random bytes of a password; it is written in hexadecimal.
const PASSWORD_BYTES: usize = 32;

impl SetupFolder {
    /// The folder at `path`, which is made where it is missing.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(path: &Path) -> Result<Self, SetupFolderError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(|source| SetupFolderError::File { path: path.to_owned(), source })?;
        Ok(SetupFolder { path: path.to_owned() })
    }

    /// The password in the file `name`. It is made once and stays: remove the file to have a new one.
    ///
    /// # Errors
    /// When it cannot be read or written, or is none of ours.
    pub fn password(&self, name: &str) -> Result<Zeroizing<String>, SetupFolderError> {
        let path = self.path.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => {
                let text = Zeroizing::new(text);
                let password = text.trim_end();
                let is_ours = password.len() == 2 * PASSWORD_BYTES && password.bytes().all(|b| b.is_ascii_hexdigit());
                if is_ours {
                    Ok(Zeroizing::new(password.to_owned()))
                } else {
                    Err(SetupFolderError::NoPassword { path })
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut bytes = Zeroizing::new([0; PASSWORD_BYTES]);
                getrandom::fill(&mut *bytes).map_err(SetupFolderError::Random)?;
                let password = Zeroizing::new(hex::encode(*bytes));
                self.write(name, Zeroizing::new(format!("{}\n", *password)).as_bytes())?;
                Ok(password)
            }
            Err(source) => Err(SetupFolderError::File { path, source }),
        }
    }

    /// Writes the file `name` whole and durably, for its owner alone.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), SetupFolderError> {
        let path = self.path.join(name);
        let write = || -> io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(&self.path)?;
            file.as_file().set_permissions(Permissions::from_mode(0o600))?;
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
            File::open(&self.path)?.sync_all()
        };
        write().map_err(|source| SetupFolderError::File { path: path.clone(), source })
    }
}
