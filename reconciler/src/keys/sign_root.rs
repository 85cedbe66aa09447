//! Signing the next root document with the root keys that are at hand.

use std::path::PathBuf;

use muster_schema::envelope::Signature;
use muster_schema::root::{Role, Root, RootError, VerifiedRoot};

use crate::io::key_folder::{KeyFolder, KeyFolderError, SignedRoot};
use crate::io::signer::{FileSigner, Signer, SignerError};

/// Why a root document was not signed.
#[derive(Debug, thiserror::Error)]
pub enum SignRootError {
    /// A key failed.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The folder of keys failed.
    #[error(transparent)]
    Folder(#[from] KeyFolderError),
    /// What the keys at hand can sign does not count.
    #[error(
        "the root keys at hand do not suffice: {0}\n  hint: name the files of the root keys by --root-key; where they \
         are on several machines, use 'muster key ceremony'"
    )]
    TooFew(RootError),
    /// What was to be signed is no good root document.
    #[error("the next root document would not hold")]
    Unsound(#[source] RootError),
    /// JSON failed.
    #[error("writing JSON failed")]
    Json(#[from] serde_json::Error),
}

/// The root keys that are at hand.
pub struct RootSigners {
    signers: Vec<FileSigner>,
}

impl RootSigners {
    /// The keys in `files`, or, where none is named, those in the folder that `current` names.
    ///
    /// # Errors
    /// When one cannot be read, or they do not suffice to follow `current`.
    pub fn load(
        folder: &KeyFolder,
        current: &Root,
        files: &[PathBuf],
        password: Option<&str>,
    ) -> Result<Self, SignRootError> {
        let Role { keys, threshold } = &current.roles.root;
        let mut found = files.to_vec();
        if files.is_empty() {
            for key in keys {
                found.extend(folder.find_secret(std::iter::once(key))?);
            }
        }
        let load = |path: &PathBuf| FileSigner::load(path, password);
        let signers: Vec<FileSigner> = found.iter().map(load).collect::<Result<_, _>>()?;
        let ours = keys.iter().filter(|key| signers.iter().any(|signer| signer.public_key() == **key)).count();
        let ours = u32::try_from(ours).unwrap_or(u32::MAX);
        if ours < *threshold {
            return Err(SignRootError::TooFew(RootError::TooFewSignatures {
                role: "root",
                found: ours,
                needed: *threshold,
            }));
        }
        Ok(RootSigners { signers })
    }

    /// One more key, which the next root document brings.
    pub fn add(&mut self, signer: FileSigner) {
        self.signers.push(signer);
    }

    /// Signs `next` with every key that counts in it or in `current`, and checks that it follows.
    ///
    /// # Errors
    /// When a key fails, or the document would not hold.
    pub fn sign(&self, current: &VerifiedRoot, next: &Root) -> Result<SignedRoot, SignRootError> {
        let bytes = serde_json::to_vec(next)?;
        let counts = |signer: &&FileSigner| {
            let key = signer.public_key();
            [current.root(), next].iter().any(|root| root.roles.root.keys.contains(&key))
        };
        let signatures: Vec<Signature> = self
            .signers
            .iter()
            .filter(counts)
            .map(|signer| signer.sign(&bytes, &root_comment(next)))
            .collect::<Result<_, _>>()?;
        match current.next(&bytes, &signatures) {
            Ok(verified) => Ok((verified, signatures)),
            Err(error @ RootError::TooFewSignatures { .. }) => Err(SignRootError::TooFew(error)),
            Err(error) => Err(SignRootError::Unsound(error)),
        }
    }
}

/// The signed comment of a root document's signature.
pub(super) fn root_comment(root: &Root) -> String {
    format!("muster root {} of {}", root.version, root.fleet)
}
