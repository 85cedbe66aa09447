//! The folder of keys: public keys, secret keys beside them, and the root documents with their signatures.
//!
//! A key is found by what its `.pub` file says, never by its name, so that a
//! folder may hold keys of before and of next. A root document counts once its
//! file is there; its signatures come first.
#![allow(clippy::disallowed_methods, reason = "this is where key files are laid out")]

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use muster_schema::PublicKey;
use muster_schema::digest::Sha256Digest;
use muster_schema::envelope::{Signature, SignatureError};
use muster_schema::root::{RootError, VerifiedRoot};

use crate::keys::{Proposal, ProposalError};

/// A root document with the signatures that make it count.
pub type SignedRoot = (VerifiedRoot, Vec<Signature>);

/// Why the folder cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyFolderError {
    /// A file cannot be read or written.
    #[error("{path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A signature file beside a root document is not one.
    #[error("{path}")]
    Signature {
        /// The file.
        path: PathBuf,
        /// Why.
        source: SignatureError,
    },
    /// A root document does not hold.
    #[error("root document {path}")]
    Root {
        /// The file.
        path: PathBuf,
        /// Why.
        source: RootError,
    },
    /// A folder holds no proposal.
    #[error("{0} holds no proposal: no two root documents that follow each other")]
    NoProposal(PathBuf),
    /// What is proposed cannot be signed.
    #[error(transparent)]
    Proposal(#[from] ProposalError),
    /// A file holds no public key.
    #[error("{0} holds no public key of minisign's: two lines, the second starts with RW")]
    NoPublicKey(PathBuf),
}

/// A folder of keys.
#[derive(Debug, Clone)]
pub struct KeyFolder {
    path: PathBuf,
}

impl KeyFolder {
    /// The folder at `path`; nothing is looked at yet.
    pub fn new(path: &Path) -> Self {
        KeyFolder { path: path.to_owned() }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads `1.root.json`, `2.root.json`, … and verifies the chain.
    ///
    /// # Errors
    /// When one cannot be read or does not follow the one before.
    pub fn load_roots(&self) -> Result<Vec<SignedRoot>, KeyFolderError> {
        let mut roots: Vec<SignedRoot> = Vec::new();
        for version in 1_u64.. {
            if version > 1 && !self.has_root(version) {
                break;
            }
            let path = self.root_path(version);
            let bytes = fs::read(&path).map_err(|source| KeyFolderError::File { path: path.clone(), source })?;
            let signatures = self.load_signatures(version)?;
            let verified = match roots.last() {
                // The folder is its owner's trust: it pins what it finds.
                None => VerifiedRoot::pinned(&bytes, &signatures, Sha256Digest::of(&bytes)),
                Some((last, _)) => last.next(&bytes, &signatures),
            };
            roots.push((verified.map_err(|source| KeyFolderError::Root { path, source })?, signatures));
        }
        Ok(roots)
    }

    /// Whether there is a root document of this version.
    pub fn has_root(&self, version: u64) -> bool {
        self.root_path(version).exists()
    }

    /// The signatures beside the root document of this version, of whoever.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn load_signatures(&self, version: u64) -> Result<Vec<Signature>, KeyFolderError> {
        let prefix = format!("{version}.root.json.");
        let mut signatures = Vec::new();
        for name in self.names()?.iter().filter(|name| name.starts_with(&prefix) && name.ends_with(".minisig")) {
            let path = self.path.join(name);
            let bytes = fs::read(&path).map_err(|source| KeyFolderError::File { path: path.clone(), source })?;
            let signature = Signature::load(&bytes);
            signatures.push(signature.map_err(|source| KeyFolderError::Signature { path, source })?);
        }
        Ok(signatures)
    }

    /// Keeps a root document: its signatures, and then, in one step, itself.
    ///
    /// # Errors
    /// When a file cannot be written, or another document of this version is there.
    pub fn keep_root(&self, version: u64, bytes: &[u8], signatures: &[Signature]) -> Result<(), KeyFolderError> {
        for signature in signatures {
            let name = format!("{version}.root.json.{}.minisig", signature.key());
            self.put(&name, signature.text().as_bytes())?;
        }
        self.put(&format!("{version}.root.json"), bytes)
    }

    /// Keeps one signature of a root document.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep_signature(&self, version: u64, signature: &Signature) -> Result<PathBuf, KeyFolderError> {
        let name = format!("{version}.root.json.{}.minisig", signature.key());
        self.put(&name, signature.text().as_bytes())?;
        Ok(self.path.join(name))
    }

    /// The secret key's file of the first of `keys` that the folder has.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn find_secret<'k>(
        &self,
        keys: impl Iterator<Item = &'k PublicKey>,
    ) -> Result<Option<PathBuf>, KeyFolderError> {
        let public = self.names()?.into_iter().filter(|name| name.ends_with(".pub"));
        let pairs: Vec<(PublicKey, PathBuf)> = public
            .filter_map(|name| {
                let path = self.path.join(name);
                Some((load_public(&path).ok()?, path.with_extension("key")))
            })
            .filter(|(_, secret)| secret.exists())
            .collect();
        let find = |key: &PublicKey| pairs.iter().find(|(public, _)| public == key).map(|(_, path)| path.clone());
        Ok(keys.into_iter().find_map(find))
    }

    fn root_path(&self, version: u64) -> PathBuf {
        self.path.join(format!("{version}.root.json"))
    }

    fn names(&self) -> Result<Vec<String>, KeyFolderError> {
        let error = |source| KeyFolderError::File { path: self.path.clone(), source };
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(error)? {
            names.extend(entry.map_err(error)?.file_name().into_string());
        }
        names.sort();
        Ok(names)
    }

    /// Writes a file durably, in one step; never another content over what is there.
    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), KeyFolderError> {
        let path = self.path.join(name);
        let write = || {
            if path.exists() {
                let same = fs::read(&path)? == bytes;
                return if same { Ok(()) } else { Err(ErrorKind::AlreadyExists.into()) };
            }
            let temporary = self.path.join(format!("{name}.new"));
            let mut file = File::create(&temporary)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&temporary, &path)?;
            File::open(&self.path)?.sync_all()
        };
        write().map_err(|source| KeyFolderError::File { path: path.clone(), source })
    }
}

/// Makes the folder of a proposal: the current root document, signed, the next
/// one, unsigned, and `changes.txt`, which is there to be read only.
///
/// # Errors
/// When something is there, or cannot be written.
pub fn make_proposal(path: &Path, proposal: &Proposal, signatures: &[Signature]) -> Result<(), KeyFolderError> {
    fs::create_dir(path).map_err(|source| KeyFolderError::File { path: path.to_owned(), source })?;
    let folder = KeyFolder::new(path);
    let current = proposal.current();
    folder.keep_root(current.root().version, current.bytes(), signatures)?;
    folder.keep_root(proposal.next().version, proposal.bytes(), &[])?;
    folder.put("changes.txt", proposal.describe().as_bytes())
}

/// Opens the folder of a proposal, with the signatures of the next document.
///
/// # Errors
/// When it holds no current document that its own keys signed, or none that could follow it.
pub fn open_proposal(path: &Path) -> Result<(KeyFolder, Proposal, Vec<Signature>), KeyFolderError> {
    let folder = KeyFolder::new(path);
    let version = |name: &String| name.strip_suffix(".root.json")?.parse::<u64>().ok();
    let next = folder.names()?.iter().filter_map(version).max().unwrap_or_default();
    let before = next.saturating_sub(1);
    if before == 0 || !folder.has_root(before) {
        return Err(KeyFolderError::NoProposal(path.to_owned()));
    }
    let read = |version| {
        let path = folder.root_path(version);
        fs::read(&path).map_err(|source| KeyFolderError::File { path, source })
    };
    let current = read(before)?;
    let pinned = VerifiedRoot::pinned(&current, &folder.load_signatures(before)?, Sha256Digest::of(&current));
    let current = pinned.map_err(|source| KeyFolderError::Root { path: folder.root_path(before), source })?;
    let proposal = Proposal::load(current, read(next)?)?;
    let signatures = folder.load_signatures(next)?;
    Ok((folder, proposal, signatures))
}

/// Reads a public key's file, as minisign writes it.
///
/// # Errors
/// When it cannot be read or holds none.
pub fn load_public(path: &Path) -> Result<PublicKey, KeyFolderError> {
    let text = fs::read_to_string(path).map_err(|source| KeyFolderError::File { path: path.to_owned(), source })?;
    let line = text.lines().find(|line| line.starts_with("RW"));
    line.and_then(|line| line.trim_end().parse().ok()).ok_or_else(|| KeyFolderError::NoPublicKey(path.to_owned()))
}
