//! The fleet's keys and the first root document.
#![allow(clippy::disallowed_methods, reason = "this is where key files are laid out")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use muster_schema::root::{Role, RoleName, Roles, Root, RootType, VerifiedRoot};
use muster_schema::{FleetName, PublicKey, Sha256Digest, Timestamp};
use ssh_key::{Algorithm, LineEnding, PrivateKey};
use zeroize::Zeroizing;

use crate::io::key_folder::{KeyFolder, KeyFolderError, SignedRoot};
use crate::io::signer::{CurrentSigner, FileSigner, HeldKeys, ProcessSigner, Signer, SignerAddress, SignerError};

mod next_root;
mod proposal;
mod sign_root;

#[cfg(test)]
mod tests;

pub use next_root::{ChangeError, NextRoot};
pub use proposal::{Proposal, ProposalError};
pub use sign_root::{RootSigners, SignRootError};

/// How long a root document lasts from when it is made.
pub const ROOT_LIFE: Duration = Duration::from_secs(5 * 365 * 24 * 60 * 60);

/// Why keys cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A signing key failed.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The folder cannot be read or written.
    #[error(transparent)]
    Folder(#[from] KeyFolderError),
    /// A file cannot be read or written.
    #[error("{path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// An SSH key cannot be made or read.
    #[error("SSH key {path}")]
    Ssh {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ssh_key::Error,
    },
    /// A key is not the one of its role.
    #[error("{path} is not a key of role {role} in the root document")]
    NotInRole {
        /// The key's file.
        path: PathBuf,
        /// The role.
        role: RoleName,
    },
    /// There is no key to sign with for a role.
    #[error(
        "{path} holds no secret key of role {role}: no NAME.key beside a NAME.pub that root document {version} names"
    )]
    NoKey {
        /// The folder.
        path: PathBuf,
        /// The role.
        role: RoleName,
        /// The newest root document.
        version: u64,
    },
    /// More keys have to sign than the orchestrator signs with.
    #[error("root document {version} demands {threshold} signatures of role {role}; muster serve signs with one key")]
    Threshold {
        /// The role.
        role: RoleName,
        /// The newest root document.
        version: u64,
        /// Its threshold.
        threshold: u32,
    },
    /// There is no root document.
    #[error("{0} holds no root document")]
    NoRoot(PathBuf),
    /// The newer root documents do not continue those that were loaded.
    #[error("the root documents in {0} are not those that they were, continued")]
    OtherChain(PathBuf),
    /// JSON failed.
    #[error("writing JSON failed")]
    Json(#[from] serde_json::Error),
}

/// What the orchestrator signs with, and the root that says so.
pub struct ServerKeys {
    /// Signs manifests.
    pub render: Arc<CurrentSigner>,
    /// Signs heads and messages.
    pub fresh: Arc<CurrentSigner>,
    /// Signs commits of the status branch.
    pub status: PrivateKey,
    /// The root document's versions, from the first to the newest.
    pub roots: Vec<SignedRoot>,
    folder: KeyFolder,
    password: Option<Zeroizing<String>>,
    signer: Option<SignerAddress>,
}

impl ServerKeys {
    /// The newest root.
    pub fn root(&self) -> Option<&VerifiedRoot> {
        self.roots.last().map(|(root, _)| root)
    }

    /// Every key that may sign manifests by any of the roots.
    pub fn render_keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.roots.iter().flat_map(|(root, _)| &root.root().roles.render.keys)
    }

    /// The keys anew, where there is a newer root document than these have.
    ///
    /// # Errors
    /// When what is there cannot be used; these stay good.
    pub fn load_newer(&self) -> Result<Option<ServerKeys>, KeysError> {
        if !self.folder.has_root(self.roots.len() as u64 + 1) {
            return Ok(None);
        }
        let password = self.password.as_deref().map(String::as_str);
        let newer = load_with(self.folder.path(), password, self.signer.as_ref())?;
        let continues = self.roots.iter().zip(&newer.roots).all(|((ours, _), (theirs, _))| ours == theirs);
        if continues { Ok(Some(newer)) } else { Err(KeysError::OtherChain(self.folder.path().to_owned())) }
    }

    /// Signs as `newer` does from now on, for everybody who holds a signer of these.
    pub fn take(&mut self, newer: ServerKeys) {
        self.render.replace(newer.render.current());
        self.fresh.replace(newer.fresh.current());
        self.roots = newer.roots;
    }
}

/// Makes the keys of a new fleet in `dir`: `root`, `render` and `fresh` in
/// minisign's form, `status` in OpenSSH's, and `1.root.json`. Returns the root
/// fingerprint that agents pin.
///
/// # Errors
/// When one exists or cannot be written; none is overwritten.
pub fn generate(
    dir: &Path,
    fleet: &FleetName,
    now: Timestamp,
    password: Option<&str>,
) -> Result<Sha256Digest, KeysError> {
    fs::create_dir_all(dir).map_err(|source| KeysError::File { path: dir.to_owned(), source })?;
    let signer = |role: &str| FileSigner::generate(&dir.join(role), &format!("{fleet} {role}"), password);
    let (root_key, render, fresh) = (signer("root")?, signer("render")?, signer("fresh")?);
    generate_ssh(&dir.join("status"), &format!("{fleet} status"))?;
    let role = |signer: &FileSigner| Role { threshold: 1, keys: vec![signer.public_key()] };
    let root = Root {
        r#type: RootType::Is,
        fleet: fleet.clone(),
        version: 1,
        epoch: 1,
        expires: now.plus(ROOT_LIFE),
        roles: Roles {
            root: role(&root_key),
            render: role(&render),
            fresh: role(&fresh),
            witness: Role::none(),
            breakglass: Role::none(),
        },
    };
    let bytes = serde_json::to_vec(&root)?;
    let signature = root_key.sign(&bytes, "muster root 1")?;
    KeyFolder::new(dir).keep_root(1, &bytes, &[signature])?;
    Ok(Sha256Digest::of(&bytes))
}

/// Makes an Ed25519 key pair in OpenSSH's form: `path` (mode 0600) and `path.pub`.
///
/// # Errors
/// When it cannot be made or written.
pub fn generate_ssh(path: &Path, comment: &str) -> Result<PrivateKey, KeysError> {
    let ssh = |source| KeysError::Ssh { path: path.to_owned(), source };
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)
        .map_err(|error| KeysError::File { path: path.to_owned(), source: std::io::Error::other(error.to_string()) })?;
    let pair = ssh_key::private::Ed25519Keypair::from_seed(&seed);
    let mut key = PrivateKey::from(pair);
    key.set_comment(comment);
    debug_assert_eq!(key.algorithm(), Algorithm::Ed25519);
    key.write_openssh_file(path, LineEnding::LF).map_err(ssh)?;
    let public = key.public_key().to_openssh().map_err(ssh)?;
    write(&path.with_extension("pub"), format!("{public}\n").as_bytes())?;
    Ok(key)
}

/// Reads what `muster serve` needs from `dir`. The root's own key need not be there.
///
/// # Errors
/// When one is missing, or the root documents do not hold or name other keys.
pub fn load(dir: &Path, password: Option<&str>) -> Result<ServerKeys, KeysError> {
    load_with(dir, password, None)
}

/// As [`load`], with the keys of `render` and `fresh` that the process at
/// `signer` holds; those that it does not hold are in `dir`.
///
/// # Errors
/// As [`load`], and when the process does not answer.
pub fn load_with(dir: &Path, password: Option<&str>, signer: Option<&SignerAddress>) -> Result<ServerKeys, KeysError> {
    let folder = KeyFolder::new(dir);
    let roots = folder.load_roots()?;
    let newest = roots.last().map(|(root, _)| root.root()).ok_or_else(|| KeysError::NoRoot(dir.to_owned()))?;
    let render = load_signer(&folder, newest, RoleName::Render, password, signer)?;
    let fresh = load_signer(&folder, newest, RoleName::Fresh, password, signer)?;
    let path = dir.join("status");
    let status = PrivateKey::read_openssh_file(&path).map_err(|source| KeysError::Ssh { path, source })?;
    let password = password.map(|password| Zeroizing::new(password.to_owned()));
    let signer = signer.cloned();
    Ok(ServerKeys { render, fresh, status, roots, folder, password, signer })
}

/// The keys of `render` and `fresh` that the newest root document in `dir`
/// names and that are there: what a signer process holds.
///
/// # Errors
/// When there is none, or one cannot be read.
pub fn load_held(dir: &Path, password: Option<&str>) -> Result<(FleetName, HeldKeys), KeysError> {
    let folder = KeyFolder::new(dir);
    let roots = folder.load_roots()?;
    let root = roots.last().map(|(root, _)| root.root()).ok_or_else(|| KeysError::NoRoot(dir.to_owned()))?;
    let mut held = HeldKeys::default();
    for role in [RoleName::Render, RoleName::Fresh] {
        for key in &root.roles.get(role).keys {
            if let Some(path) = folder.find_secret(std::iter::once(key))? {
                held.keys.push((role, FileSigner::load(&path, password)?));
            }
        }
    }
    if held.keys.is_empty() {
        return Err(KeysError::NoKey { path: dir.to_owned(), role: RoleName::Render, version: root.version });
    }
    Ok((root.fleet.clone(), held))
}

/// The key that signs for a role: of those that the root names, the last that is here.
fn load_signer(
    folder: &KeyFolder,
    root: &Root,
    role: RoleName,
    password: Option<&str>,
    process: Option<&SignerAddress>,
) -> Result<Arc<CurrentSigner>, KeysError> {
    let Role { threshold, keys } = root.roles.get(role);
    if *threshold != 1 {
        return Err(KeysError::Threshold { role, version: root.version, threshold: *threshold });
    }
    if let Some(address) = process
        && let Some(signer) = ProcessSigner::find(address, role, keys)?
    {
        return Ok(Arc::new(CurrentSigner::new(Arc::new(signer))));
    }
    let path = folder.find_secret(keys.iter().rev())?;
    let missing = || KeysError::NoKey { path: folder.path().to_owned(), role, version: root.version };
    let path = path.ok_or_else(missing)?;
    let signer = FileSigner::load(&path, password)?;
    if !keys.contains(&signer.public_key()) {
        return Err(KeysError::NotInRole { path, role });
    }
    Ok(Arc::new(CurrentSigner::new(Arc::new(signer))))
}

/// The root fingerprint that new agents are to pin: that of the newest root
/// document in `dir`, so that a root key of before leads nobody astray. No
/// secret key need be there.
///
/// # Errors
/// When they cannot be read or do not hold.
pub fn load_root_fingerprint(dir: &Path) -> Result<Option<Sha256Digest>, KeysError> {
    let roots = KeyFolder::new(dir).load_roots()?;
    Ok(roots.last().map(|(root, _)| Sha256Digest::of(root.bytes())))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), KeysError> {
    fs::write(path, bytes).map_err(|source| KeysError::File { path: path.to_owned(), source })
}
