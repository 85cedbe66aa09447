//! The fleet's keys and the first root document.
#![allow(clippy::disallowed_methods, reason = "this is where key files are laid out")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use muster_schema::envelope::Signature;
use muster_schema::root::{Role, Roles, Root, RootError, RootType, VerifiedRoot};
use muster_schema::{FleetName, Sha256Digest, Timestamp};
use ssh_key::{Algorithm, LineEnding, PrivateKey};

use crate::io::signer::{FileSigner, Signer, SignerError};

#[cfg(test)]
mod tests;

/// How long the first root document lasts.
pub const ROOT_LIFE: Duration = Duration::from_secs(5 * 365 * 24 * 60 * 60);

/// Why keys cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A signing key failed.
    #[error(transparent)]
    Signer(#[from] SignerError),
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
    /// A signature file beside the root document is not one.
    #[error("{path}")]
    Signature {
        /// The file.
        path: PathBuf,
        /// Why.
        source: muster_schema::envelope::SignatureError,
    },
    /// The root document does not hold.
    #[error("root document {path}")]
    Root {
        /// The file.
        path: PathBuf,
        /// Why.
        source: RootError,
    },
    /// A key is not the one of its role.
    #[error("{path} is not a key of role {role} in the root document")]
    NotInRole {
        /// The key's file.
        path: PathBuf,
        /// The role.
        role: &'static str,
    },
    /// JSON failed.
    #[error("writing JSON failed")]
    Json(#[from] serde_json::Error),
}

/// What the orchestrator signs with, and the root that says so.
pub struct ServerKeys {
    /// Signs manifests.
    pub render: Arc<dyn Signer>,
    /// Signs heads and messages.
    pub fresh: Arc<dyn Signer>,
    /// Signs commits of the status branch.
    pub status: PrivateKey,
    /// The root document's versions, from the first to the newest.
    pub roots: Vec<(VerifiedRoot, Vec<Signature>)>,
}

impl ServerKeys {
    /// The newest root.
    pub fn root(&self) -> Option<&VerifiedRoot> {
        self.roots.last().map(|(root, _)| root)
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
        roles: Roles { root: role(&root_key), render: role(&render), fresh: role(&fresh) },
    };
    let bytes = serde_json::to_vec(&root)?;
    let signature = root_key.sign(&bytes, "muster root 1")?;
    write(&dir.join("1.root.json"), &bytes)?;
    write(&dir.join(format!("1.root.json.{}.minisig", signature.key())), signature.text().as_bytes())?;
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
    let roots = load_roots(dir)?;
    let render = Arc::new(FileSigner::load(&dir.join("render.key"), password)?);
    let fresh = Arc::new(FileSigner::load(&dir.join("fresh.key"), password)?);
    let path = dir.join("status");
    let status = PrivateKey::read_openssh_file(&path).map_err(|source| KeysError::Ssh { path, source })?;
    let keys = ServerKeys { render, fresh, status, roots };
    if let Some(root) = keys.root() {
        let Roles { render, fresh, .. } = &root.root().roles;
        for (role, name, signer) in [(render, "render", &keys.render), (fresh, "fresh", &keys.fresh)] {
            if !role.keys.contains(&signer.public_key()) {
                return Err(KeysError::NotInRole { path: dir.join(format!("{name}.key")), role: name });
            }
        }
    }
    Ok(keys)
}

/// The root fingerprint that agents pin, from the root documents in `dir`. No
/// secret key need be there.
///
/// # Errors
/// When they cannot be read or do not hold.
pub fn load_root_fingerprint(dir: &Path) -> Result<Option<Sha256Digest>, KeysError> {
    Ok(load_roots(dir)?.first().map(|(root, _)| Sha256Digest::of(root.bytes())))
}

/// Reads `1.root.json`, `2.root.json`, … and verifies the chain.
fn load_roots(dir: &Path) -> Result<Vec<(VerifiedRoot, Vec<Signature>)>, KeysError> {
    let mut roots: Vec<(VerifiedRoot, Vec<Signature>)> = Vec::new();
    for version in 1_u64.. {
        let path = dir.join(format!("{version}.root.json"));
        let bytes = match fs::read(&path) {
            Err(error) if version > 1 && error.kind() == std::io::ErrorKind::NotFound => break,
            read => read.map_err(|source| KeysError::File { path: path.clone(), source })?,
        };
        let signatures = load_signatures(dir, &format!("{version}.root.json."))?;
        let verified = match roots.last() {
            // The orchestrator's own folder is its trust: it pins what it finds.
            None => VerifiedRoot::pinned(&bytes, &signatures, Sha256Digest::of(&bytes)),
            Some((last, _)) => last.next(&bytes, &signatures),
        };
        roots.push((verified.map_err(|source| KeysError::Root { path, source })?, signatures));
    }
    Ok(roots)
}

/// Reads the signature files in `dir` whose names start with `prefix`.
fn load_signatures(dir: &Path, prefix: &str) -> Result<Vec<Signature>, KeysError> {
    let error = |source| KeysError::File { path: dir.to_owned(), source };
    let mut signatures = Vec::new();
    for entry in fs::read_dir(dir).map_err(error)? {
        let name = entry.map_err(error)?.file_name();
        let ours = name.to_str().is_some_and(|name| name.starts_with(prefix) && name.ends_with(".minisig"));
        if ours {
            let path = dir.join(name);
            let bytes = fs::read(&path).map_err(|source| KeysError::File { path: path.clone(), source })?;
            let signature = Signature::load(&bytes);
            signatures.push(signature.map_err(|source| KeysError::Signature { path, source })?);
        }
    }
    Ok(signatures)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), KeysError> {
    fs::write(path, bytes).map_err(|source| KeysError::File { path: path.to_owned(), source })
}
