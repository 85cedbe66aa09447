//! Signing keys: a port, so that a key may live in a file or in another process.
#![allow(clippy::disallowed_methods, reason = "reads and writes key files")]

use std::fs::OpenOptions;
use std::io::{Cursor, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use minisign::{KeyPair, SecretKey, SecretKeyBox};
use muster_schema::PublicKey;
use muster_schema::envelope::Signature;
use zeroize::Zeroizing;

mod address;
mod current;
mod line;
mod process;
mod serve;
mod signable;
#[cfg(test)]
mod tests;

pub use address::{BadSignerAddress, SignerAddress};
pub use current::CurrentSigner;
pub use process::ProcessSigner;
pub use serve::{HeldKeys, LoadKeys, serve_signer};
pub use signable::{Unsignable, check_signable};

/// Signs bytes with a key of one role.
pub trait Signer: Send + Sync {
    /// The key that verifies what this signs.
    fn public_key(&self) -> PublicKey;

    /// Signs exactly `bytes`, prehashed; `comment` is signed with them.
    ///
    /// # Errors
    /// When the key cannot be used.
    fn sign(&self, bytes: &[u8], comment: &str) -> Result<Signature, SignerError>;
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// The key's file cannot be read or written.
    #[error("key file {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds no key, or the password is wrong.
    #[error("{path} holds no usable minisign secret key; where it is encrypted, is the password right?")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: minisign::PError,
    },
    /// The library failed.
    #[error("signing failed")]
    Sign(#[source] minisign::PError),
    /// A signer process cannot be reached, or does not answer.
    #[error("the signer at {address} does not answer")]
    Process {
        /// Where it listens.
        address: SignerAddress,
        /// Why.
        source: std::io::Error,
    },
    /// A signer process refuses.
    #[error("the signer at {address} refuses: {message}")]
    Refused {
        /// Where it listens.
        address: SignerAddress,
        /// What it says.
        message: String,
    },
    /// The library or a signer made a signature or key that our own parser refuses.
    #[error("what was made is no signature of the form that is asked for")]
    Form,
}

/// A minisign key pair held in memory, read from a file.
pub struct FileSigner {
    public: PublicKey,
    secret: SecretKey,
}

impl FileSigner {
    /// Makes a key pair: `<stem>.key` (mode 0600, encrypted when there is a
    /// password) and `<stem>.pub` in minisign's form. Never overwrites.
    ///
    /// # Errors
    /// When a file exists or cannot be written.
    pub fn generate(stem: &Path, comment: &str, password: Option<&str>) -> Result<Self, SignerError> {
        let pair = match password {
            Some(password) => KeyPair::generate_encrypted_keypair(Some(password.to_owned())),
            None => KeyPair::generate_unencrypted_keypair(),
        }
        .map_err(SignerError::Sign)?;
        let secret = Zeroizing::new(pair.sk.to_box(Some(comment)).map_err(SignerError::Sign)?.to_string());
        let public = pair.pk.to_box().map_err(SignerError::Sign)?.to_string();
        write_new(&stem.with_extension("key"), secret.as_bytes(), 0o600)?;
        write_new(&stem.with_extension("pub"), public.as_bytes(), 0o644)?;
        FileSigner::load(&stem.with_extension("key"), password)
    }

    /// Removes the key pair that [`FileSigner::generate`] just made at `stem`.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn remove(stem: &Path) -> Result<(), SignerError> {
        for path in [stem.with_extension("key"), stem.with_extension("pub")] {
            std::fs::remove_file(&path).map_err(|source| SignerError::File { path, source })?;
        }
        Ok(())
    }

    /// Reads a secret key from `path`.
    ///
    /// # Errors
    /// When the file cannot be read, or `password` does not open it.
    pub fn load(path: &Path, password: Option<&str>) -> Result<Self, SignerError> {
        let file = |source| SignerError::File { path: path.to_owned(), source };
        let unusable = |source| SignerError::Unusable { path: path.to_owned(), source };
        let text = Zeroizing::new(std::fs::read_to_string(path).map_err(file)?);
        let sealed = SecretKeyBox::from_string(&text).map_err(unusable)?;
        let secret = match password {
            Some(password) => sealed.into_secret_key(Some(password.to_owned())),
            None => sealed.into_unencrypted_secret_key(),
        }
        .map_err(unusable)?;
        let public = minisign::PublicKey::from_secret_key(&secret).map_err(unusable)?;
        let public = public.to_base64().parse().map_err(|_| SignerError::Form)?;
        Ok(FileSigner { public, secret })
    }
}

impl Signer for FileSigner {
    fn public_key(&self) -> PublicKey {
        self.public
    }

    fn sign(&self, bytes: &[u8], comment: &str) -> Result<Signature, SignerError> {
        let signature = minisign::sign(None, &self.secret, Cursor::new(bytes), Some(comment), Some("signed by muster"))
            .map_err(SignerError::Sign)?;
        Signature::load(signature.into_string().as_bytes()).map_err(|_| SignerError::Form)
    }
}

/// Writes a file that must not exist yet, durably.
fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), SignerError> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|source| SignerError::File { path: path.to_owned(), source })
}
