//! The host's keys: one signs what it sends, one opens what is encrypted to it, one is for what stays on the host.
#![allow(clippy::disallowed_methods, reason = "reads and writes key files")]

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::secrets::mac;
use age::secrecy::ExposeSecret;
use minisign::{KeyPair, SecretKey, SecretKeyBox};
use muster_schema::PublicKey;
use muster_schema::bus::hash_password;
use muster_schema::envelope::Signature;
use zeroize::Zeroizing;

mod next;
pub use next::NextKeysMade;
#[cfg(test)]
mod tests;

const SIGNING: &str = "host.key";
const PUBLIC: &str = "host.pub";
const AGE: &str = "age.key";
/// What the password at a broker is derived for.
const BROKER_PASSWORD: &[u8] = b"muster: password at the broker";
/// It never changes: what was adopted stays readable, and digests stay the same, when the other two are exchanged.
const STORAGE: &str = "storage.key";

/// The keys of this host. The secrets never leave it.
pub struct HostKeys {
    public: PublicKey,
    signing: SecretKey,
    age: age::x25519::Identity,
    storage: age::x25519::Identity,
}

/// Why the host's keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HostKeysError {
    /// A file cannot be read or written.
    #[error("key file {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds no key. It is not replaced: a new key would be a new host.
    #[error("{0} holds no key of this host; restore it, or remove it to enrol the host anew")]
    Damaged(PathBuf),
    /// The library failed.
    #[error("the signature library failed")]
    Library(#[source] minisign::PError),
    /// The library made a key or signature that our own parser refuses.
    #[error("the signature library made something of an unknown form")]
    Form,
    /// Nothing could be encrypted.
    #[error("cannot encrypt")]
    Encrypt(#[source] age::EncryptError),
    /// The bytes are not encrypted to this host, or damaged.
    #[error("cannot decrypt")]
    Decrypt(#[source] age::DecryptError),
}

impl HostKeys {
    /// Reads the keys in the folder `dir`, and makes those that are missing. An exchange that was begun is finished.
    ///
    /// # Errors
    /// When a file cannot be read or written, or holds no key.
    pub fn load_or_make(dir: &Path) -> Result<Self, HostKeysError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
        made.map_err(|source| HostKeysError::File { path: dir.to_owned(), source })?;
        next::finish_exchange(dir)?;
        HostKeys::load_or_make_in(dir, &dir.join(STORAGE))
    }

    /// Reads the keys in the folder `dir`, and makes nothing.
    ///
    /// # Errors
    /// When a file is missing, cannot be read or holds no key.
    pub fn load(dir: &Path) -> Result<Self, HostKeysError> {
        for path in [SIGNING, AGE, PUBLIC, STORAGE].map(|name| dir.join(name)) {
            fs::metadata(&path).map_err(|source| HostKeysError::File { path, source })?;
        }
        HostKeys::load_or_make_in(dir, &dir.join(STORAGE))
    }

    fn load_or_make_in(dir: &Path, storage: &Path) -> Result<Self, HostKeysError> {
        let signing = load_or_make_signing(&dir.join(SIGNING))?;
        // A host of before had one key for both.
        let shared = read_key(&dir.join(AGE))?;
        let age = load_or_make_age(&dir.join(AGE))?;
        if let (Some(shared), false) = (shared, storage.exists()) {
            write_key(storage, shared.as_bytes(), 0o600)?;
        }
        let storage = load_or_make_age(storage)?;
        let public = minisign::PublicKey::from_secret_key(&signing).map_err(HostKeysError::Library)?;
        let box_text = public.to_box().map_err(HostKeysError::Library)?.to_string();
        write_key(&dir.join(PUBLIC), box_text.as_bytes(), 0o644)?;
        let public = public.to_base64().parse().map_err(|_| HostKeysError::Form)?;
        Ok(HostKeys { public, signing, age, storage })
    }

    /// The key that verifies what this host signs; its identity.
    pub fn public_key(&self) -> PublicKey {
        self.public
    }

    /// The age recipient that secrets for this host are encrypted to.
    pub fn recipient(&self) -> String {
        self.age.to_public().to_string()
    }

    /// Signs exactly `bytes`, prehashed.
    ///
    /// # Errors
    /// When the library fails.
    pub fn sign(&self, bytes: &[u8]) -> Result<Signature, HostKeysError> {
        let signature = minisign::sign(None, &self.signing, bytes, Some("muster message"), Some("signed by a host"))
            .map_err(HostKeysError::Library)?;
        Signature::load(signature.into_string().as_bytes()).map_err(|_| HostKeysError::Form)
    }

    /// Encrypts what only this host can read again, with whatever keys it has by then.
    ///
    /// # Errors
    /// When the library fails.
    pub fn seal(&self, plaintext: &[u8]) -> Result<Vec<u8>, HostKeysError> {
        age::encrypt(&self.storage.to_public(), plaintext).map_err(HostKeysError::Encrypt)
    }

    /// What [`HostKeys::seal`] encrypted.
    ///
    /// # Errors
    /// When it is damaged, or another host's.
    pub fn unseal(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, HostKeysError> {
        age::decrypt(&self.storage, ciphertext).map(Zeroizing::new).map_err(HostKeysError::Decrypt)
    }

    /// A key for `purpose` that tells nothing of those that it follows from, and stays when they are exchanged.
    pub fn derive(&self, purpose: &[u8]) -> Zeroizing<Vec<u8>> {
        derive(&self.storage, purpose)
    }

    /// The host's password at a broker. It follows from the age key, so nobody hands it over and nothing keeps it.
    pub fn broker_password(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(derive(&self.age, BROKER_PASSWORD).as_slice()))
    }

    /// What a broker is to keep of [`HostKeys::broker_password`].
    pub fn broker_hash(&self) -> String {
        hash_password(&self.broker_password())
    }

    /// Decrypts what was encrypted to [`HostKeys::recipient`].
    ///
    /// # Errors
    /// When it was encrypted to another, or is damaged.
    pub fn decrypt(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, HostKeysError> {
        age::decrypt(&self.age, ciphertext).map(Zeroizing::new).map_err(HostKeysError::Decrypt)
    }
}

fn derive(identity: &age::x25519::Identity, purpose: &[u8]) -> Zeroizing<Vec<u8>> {
    mac(identity.to_string().expose_secret().as_bytes(), purpose)
}

fn load_or_make_signing(path: &Path) -> Result<SecretKey, HostKeysError> {
    if let Some(text) = read_key(path)? {
        let sealed = SecretKeyBox::from_string(&text).map_err(|_| HostKeysError::Damaged(path.to_owned()))?;
        return sealed.into_unencrypted_secret_key().map_err(|_| HostKeysError::Damaged(path.to_owned()));
    }
    let pair = KeyPair::generate_unencrypted_keypair().map_err(HostKeysError::Library)?;
    let text = pair.sk.to_box(Some("key of this host")).map_err(HostKeysError::Library)?;
    write_key(path, Zeroizing::new(text.to_string()).as_bytes(), 0o600)?;
    Ok(pair.sk)
}

fn load_or_make_age(path: &Path) -> Result<age::x25519::Identity, HostKeysError> {
    if let Some(text) = read_key(path)? {
        return age::x25519::Identity::from_str(text.trim_end()).map_err(|_| HostKeysError::Damaged(path.to_owned()));
    }
    let identity = age::x25519::Identity::generate();
    let text = Zeroizing::new(format!("{}\n", identity.to_string().expose_secret()));
    write_key(path, text.as_bytes(), 0o600)?;
    Ok(identity)
}

fn read_key(path: &Path) -> Result<Option<Zeroizing<String>>, HostKeysError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(HostKeysError::File { path: path.to_owned(), source }),
    }
}

/// Writes a key durably and whole: a power cut leaves it or nothing.
fn write_key(path: &Path, bytes: &[u8], mode: u32) -> Result<(), HostKeysError> {
    if fs::read(path).is_ok_and(|found| found == bytes) {
        return Ok(());
    }
    let temporary = path.with_extension("new");
    let write = || -> io::Result<()> {
        let _ = fs::remove_file(&temporary);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    write().map_err(|source| HostKeysError::File { path: path.to_owned(), source })
}
