//! The folder of a break-glass bundle: root documents, head, manifest and contents, with signatures beside them.
#![allow(clippy::disallowed_methods, reason = "this is where the folder is laid out")]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use muster_schema::PublicKey;
use muster_schema::breakglass::{BLOB_FOLDER, Challenge, HEAD_FILE, MANIFEST_FILE, MAX_CHALLENGE_BYTES};
use muster_schema::content::BlobRef;
use muster_schema::envelope::Signature;
use muster_schema::json::{self, JsonError};
use muster_schema::root::VerifiedRoot;

use super::key_folder::{KeyFolder, KeyFolderError, SignedRoot};
use crate::breakglass::{Blobs, BreakGlassBundle, BreakGlassFault};

/// A bundle with what was found beside it.
pub struct FoundBundle {
    /// The newest root document of the folder.
    pub root: VerifiedRoot,
    /// Head and manifest.
    pub bundle: BreakGlassBundle,
    /// Signatures of the head by keys of the role.
    pub head: Vec<Signature>,
    /// Signatures of the manifest by keys of the role.
    pub manifest: Vec<Signature>,
}

/// Why a folder cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum BundleFolderError {
    /// A file cannot be written or read.
    #[error("{path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The root documents do not hold.
    #[error(transparent)]
    Roots(#[from] KeyFolderError),
    /// The file of a challenge holds none.
    #[error("{path} holds no challenge")]
    NoChallenge {
        /// The file.
        path: PathBuf,
        /// Why.
        source: JsonError,
    },
    /// There is no root document.
    #[error("{0} holds no root document")]
    NoRoot(PathBuf),
    /// It is no bundle.
    #[error(transparent)]
    Fault(#[from] BreakGlassFault),
}

/// Reads a challenge as the agent prints it, of a file or, for `-`, of standard input.
///
/// # Errors
/// When it cannot be read or is none.
pub fn load_challenge(path: &Path) -> Result<Challenge, BundleFolderError> {
    let file = |source| BundleFolderError::File { path: path.to_owned(), source };
    let most = MAX_CHALLENGE_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    match path.to_str() {
        Some("-") => std::io::stdin().lock().take(most).read_to_end(&mut bytes).map_err(file)?,
        _ => fs::File::open(path).and_then(|found| found.take(most).read_to_end(&mut bytes)).map_err(file)?,
    };
    let loaded = json::load_strict(&bytes, MAX_CHALLENGE_BYTES);
    loaded.map_err(|source| BundleFolderError::NoChallenge { path: path.to_owned(), source })
}

/// Makes the folder at `path`, without signatures.
///
/// # Errors
/// When something is there, or cannot be written.
pub fn keep_bundle(
    path: &Path,
    roots: &[SignedRoot],
    bundle: &BreakGlassBundle,
    blobs: &Blobs,
) -> Result<(), BundleFolderError> {
    make_folder(path)?;
    let keys = KeyFolder::new(path);
    for (root, signatures) in roots {
        keys.keep_root(root.root().version, root.bytes(), signatures)?;
    }
    make_folder(&path.join(BLOB_FOLDER))?;
    for (digest, bytes) in blobs {
        write(&path.join(BLOB_FOLDER).join(digest.to_string()), bytes)?;
    }
    write(&path.join(MANIFEST_FILE), bundle.manifest_bytes())?;
    write(&path.join(HEAD_FILE), bundle.head_bytes())
}

/// Reads the folder at `path`. What its root documents say counts as far as its reader knows them.
///
/// # Errors
/// When it is no bundle, or lacks a content.
pub fn load_bundle(path: &Path) -> Result<FoundBundle, BundleFolderError> {
    let roots = KeyFolder::new(path).load_roots()?;
    let (root, _) = roots.into_iter().next_back().ok_or_else(|| BundleFolderError::NoRoot(path.to_owned()))?;
    let (head, manifest) = (read(&path.join(HEAD_FILE))?, read(&path.join(MANIFEST_FILE))?);
    let bundle = BreakGlassBundle::load(head, manifest, root.root())?;
    for blob in bundle.blobs() {
        let file = path.join(BLOB_FOLDER).join(blob.sha256.to_string());
        if BlobRef::of(&read(&file)?) != blob {
            return Err(BreakGlassFault::Unsound(format!("{} is another content", file.display())).into());
        }
    }
    let keys = &root.root().roles.breakglass.keys;
    let (head, manifest) = (load_signatures(path, HEAD_FILE, keys), load_signatures(path, MANIFEST_FILE, keys));
    Ok(FoundBundle { root, bundle, head, manifest })
}

/// Keeps a signature beside the file `name`.
///
/// # Errors
/// When it cannot be written.
pub fn keep_signature(path: &Path, name: &str, signature: &Signature) -> Result<(), BundleFolderError> {
    write(&path.join(format!("{name}.{}.minisig", signature.key())), signature.text().as_bytes())
}

fn load_signatures(path: &Path, name: &str, keys: &[PublicKey]) -> Vec<Signature> {
    let of_key = |key: &PublicKey| {
        let text = fs::read(path.join(format!("{name}.{}.minisig", key.id()))).ok()?;
        Signature::load(&text).ok()
    };
    keys.iter().filter_map(of_key).collect()
}

fn make_folder(path: &Path) -> Result<(), BundleFolderError> {
    fs::create_dir(path).map_err(|source| BundleFolderError::File { path: path.to_owned(), source })
}

fn read(path: &Path) -> Result<Vec<u8>, BundleFolderError> {
    fs::read(path).map_err(|source| BundleFolderError::File { path: path.to_owned(), source })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), BundleFolderError> {
    fs::write(path, bytes).map_err(|source| BundleFolderError::File { path: path.to_owned(), source })
}
