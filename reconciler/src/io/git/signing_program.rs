//! Signatures of people, made by the programs that hold their keys.
#![allow(clippy::disallowed_methods, reason = "keys may be in an agent, on a card, or behind a passphrase")]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::error::GitError;
use super::signed_commit::{CommitSigner, NAMESPACE};

/// Signs by `ssh-keygen`, for keys in an agent or a security key, and for key
/// files with a passphrase, which it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshKeygenSigner {
    /// The private key's file, or the public key's when an agent holds it; as
    /// in git's `user.signingKey`.
    pub key: PathBuf,
}

impl SshKeygenSigner {
    /// Returns an armoured SSH signature of `namespace` over `payload`.
    ///
    /// # Errors
    /// When ssh-keygen cannot be run, or does not sign.
    pub fn sign(&self, namespace: &str, payload: &[u8]) -> Result<String, GitError> {
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-Y", "sign", "-n", namespace, "-f"]).arg(&self.key);
        sign_by(command, &format!("signing with {}", self.key.display()), payload)
    }
}

impl CommitSigner for SshKeygenSigner {
    fn sign_commit(&self, payload: &[u8]) -> Result<String, GitError> {
        self.sign(NAMESPACE, payload)
    }
}

/// Signs by GnuPG, as git does where `gpg.format` is `openpgp`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpgSigner {
    /// The program: git's `gpg.program`, or `gpg`.
    pub program: PathBuf,
    /// Whose key: an id, a fingerprint, or an address; as in git's `user.signingKey`.
    pub key: String,
}

impl CommitSigner for GpgSigner {
    fn sign_commit(&self, payload: &[u8]) -> Result<String, GitError> {
        let mut command = Command::new(&self.program);
        command.args(["--quiet", "--detach-sign", "--armor", "--local-user", &self.key]);
        sign_by(command, &format!("signing with the OpenPGP key {}", self.key), payload)
    }
}

/// How somebody signs commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperatorSigner {
    /// By an SSH key.
    Ssh(SshKeygenSigner),
    /// By an OpenPGP key.
    OpenPgp(GpgSigner),
}

impl CommitSigner for OperatorSigner {
    fn sign_commit(&self, payload: &[u8]) -> Result<String, GitError> {
        match self {
            OperatorSigner::Ssh(signer) => signer.sign_commit(payload),
            OperatorSigner::OpenPgp(signer) => signer.sign_commit(payload),
        }
    }
}

/// What the program writes that got `payload` on its standard input.
fn sign_by(mut command: Command, action: &str, payload: &[u8]) -> Result<String, GitError> {
    let failed = |source| GitError::Program { action: action.to_owned(), source };
    let refused = |message: &str| GitError::Failed { action: action.to_owned(), message: message.to_owned() };
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = command.spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ends early tells why by its status.
        let _ = stdin.write_all(payload);
    }
    let output = child.wait_with_output().map_err(failed)?;
    if !output.status.success() {
        return Err(refused(&output.status.to_string()));
    }
    String::from_utf8(output.stdout).map_err(|_| refused("the signature is no text"))
}
